//! A terminal that a test looks at.
#![allow(clippy::unwrap_used, reason = "a test that has no terminal has failed")]

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Runs a command on a terminal of so many columns: its exit code, and all that the terminal was sent.
pub(crate) fn on_a_terminal(command: &mut Command, columns: u16) -> (Option<i32>, String) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
    tcsetwinsize(&terminal, Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let other = || Stdio::from(terminal.try_clone().unwrap());
    command.stdin(other()).stdout(other()).stderr(other());
    let mut child = command.spawn().unwrap();
    // The command and ours hold the terminal; the controller sees its end when all are closed.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(terminal);
    let mut seen = Vec::new();
    let mut controller = File::from(controller);
    let mut buffer = [0; 4096];
    // Linux says EIO at the end.
    while let Ok(read @ 1..) = controller.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..read]);
    }
    (child.wait().unwrap().code(), String::from_utf8_lossy(&seen).replace("\r\n", "\n"))
}
