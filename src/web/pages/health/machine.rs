//! The disk, and what lies in the spool.

use std::path::Path;

/// What was found. None: it could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) disk: Option<Disk>,
    pub(super) spool: Option<Spool>,
}

/// The file system of the logs, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Disk {
    /// What programs that are not root's may still write.
    pub(super) free: u64,
    pub(super) size: u64,
}

/// Exchanges in flight, or left by a run that was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spool {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl Machine {
    /// Blocks.
    pub(super) fn look(logs: &Path) -> Self {
        Self { disk: Disk::of(logs), spool: Spool::of(&logs.join(".spool")) }
    }
}

impl Disk {
    fn of(logs: &Path) -> Option<Self> {
        let about = rustix::fs::statvfs(logs).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(about.f_frsize);
        Some(Self { free: bytes(about.f_bavail), size: bytes(about.f_blocks) })
    }

    /// A day of a large team is a few gigabytes; a disk for which that is little has at least a twentieth free.
    pub(super) fn is_short(self) -> bool {
        const LITTLE: u64 = 2_000_000_000;
        self.free < LITTLE || self.free < self.size / 20 && self.free < 10 * LITTLE
    }
}

impl Spool {
    /// A folder that is not there is an empty one: there never was an exchange in flight.
    fn of(folder: &Path) -> Option<Self> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(Self::default()),
            Err(_) => return None,
        };
        let mut spool = Self::default();
        for about in entries.flatten().filter_map(|entry| entry.metadata().ok()) {
            spool.files += 1;
            spool.bytes = spool.bytes.saturating_add(about.len());
        }
        Some(spool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_a_disk_and_perhaps_a_spool() {
        let logs = tempfile::tempdir().unwrap();
        let Machine { disk, spool } = Machine::look(logs.path());
        let disk = disk.unwrap();
        assert!(disk.free <= disk.size && disk.size > 0, "{disk:?}");
        assert_eq!(spool, Some(Spool::default()));
        std::fs::create_dir(logs.path().join(".spool")).unwrap();
        std::fs::write(logs.path().join(".spool/x"), "12345").unwrap();
        assert_eq!(Machine::look(logs.path()).spool, Some(Spool { files: 1, bytes: 5 }));
        assert_eq!(Machine::look(&logs.path().join("gone")).disk, None);
    }

    #[test]
    fn little_is_little_of_a_small_disk_and_of_a_large_one() {
        const GB: u64 = 1_000_000_000;
        for (free, size, short) in
            [(1, 100, true), (5, 100, false), (4, 100, true), (30, 10_000, false), (19, 10_000, true), (3, 20, false)]
        {
            assert_eq!(Disk { free: free * GB, size: size * GB }.is_short(), short, "{free} of {size}");
        }
    }
}
