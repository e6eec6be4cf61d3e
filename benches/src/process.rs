//! Child processes: started, found by the address they print, measured through /proc, and never left behind.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Sender, channel},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

const START_LIMIT: Duration = Duration::from_secs(30);
/// A recorder that is told to stop lets streams end for 10 s and then writes what it holds.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// USER_HZ, the unit of the times in /proc/PID/stat: 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);
/// Last lines of a child's stderr, shown when it fails.
const KEPT_LINES: usize = 20;

/// A running child that is killed when this is dropped, or when this process dies in whatever way.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts this program again as one of the parties.
    pub fn party(args: &[&str], folder: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(args).arg("--folder").arg(folder).stdout(Stdio::piped()).stderr(Stdio::inherit());
        Self::start(command)
    }

    /// Starts the recorder through this program's `exec` mode, which ties its life to ours.
    pub fn recorder(program: &Path, args: &[String], folder: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("exec").arg(program).args(args).current_dir(folder);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy().to_ascii_lowercase();
            if name_text.starts_with("copilot_recorder") || name_text.ends_with("_proxy") {
                command.env_remove(&name);
            }
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        Self::start(command)
    }

    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).spawn().context("cannot start a party of the bench")?;
        let output: Option<Box<dyn Read + Send>> = match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), _) => Some(Box::new(stdout)),
            (None, Some(stderr)) => Some(Box::new(stderr)),
            (None, None) => None,
        };
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (found, address) = channel();
        let mut process = Self { child, address: ([127, 0, 0, 1], 0).into(), lines: Arc::clone(&lines) };
        let output = output.context("no pipe from a party of the bench")?;
        std::thread::spawn(move || drain(output, &lines, &found));
        match address.recv_timeout(START_LIMIT) {
            Ok(address) => process.address = address,
            Err(_) => bail!("a party of the bench told no address:\n{}", process.last_lines()),
        }
        Ok(process)
    }

    /// Processor time used so far, user and system, in all threads.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = self.proc_file("stat")?;
        // The name in brackets may hold spaces; utime and stime are the 12th and 13th fields after it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok());
        let (Some(user), Some(system)) = (ticks(11), ticks(12)) else { bail!("cannot read processor time") };
        Ok(TICK * (user + system))
    }

    /// Waits until the process has finished what it still had to do, and says how long that took.
    pub async fn settle(&self) -> Result<Duration> {
        const QUIET: Duration = Duration::from_millis(60);
        const LIMIT: Duration = Duration::from_secs(5);
        let started = Instant::now();
        let mut before = self.cpu()?;
        loop {
            let waited = started.elapsed();
            tokio::time::sleep(QUIET).await;
            let now = self.cpu()?;
            if now == before || waited > LIMIT {
                return Ok(waited);
            }
            before = now;
        }
    }

    /// Resident memory in kB.
    pub fn resident(&self) -> Result<u64> {
        // The roll-up is exact; VmRSS in `status` lags by up to 64 pages a thread.
        let rollup = self.proc_file("smaps_rollup")?;
        let line = rollup.lines().find(|line| line.starts_with("Rss:")).context("no Rss in smaps_rollup")?;
        let kilobytes = line.split_whitespace().nth(1).context("no figure in smaps_rollup")?;
        Ok(kilobytes.parse()?)
    }

    /// Asks the process to end, waits for it, and reports how it ended if not well.
    pub async fn stop(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() { Ok(()) } else { Err(anyhow!("{status}\n{}", self.last_lines())) };
            }
            if started.elapsed() > STOP_LIMIT {
                bail!("did not end within {STOP_LIMIT:?} after SIGTERM");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn proc_file(&self, name: &str) -> Result<String> {
        let path = PathBuf::from(format!("/proc/{}/{name}", self.child.id()));
        std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}; its last lines:\n{}", path.display(), self.last_lines()))
    }

    fn last_lines(&self) -> String {
        self.lines.lock().map(|lines| lines.join("\n")).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Raises the limit of open files; children inherit it.
pub fn raise_file_limit() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// Reads a child's output to its end, so that it never waits for us.
fn drain(output: Box<dyn Read + Send>, lines: &Mutex<Vec<String>>, found: &Sender<SocketAddr>) {
    let mut told = false;
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if !told && let Some(address) = loopback_address(&line) {
            told = found.send(address).is_ok();
        }
        if let Ok(mut lines) = lines.lock() {
            if lines.len() == KEPT_LINES {
                lines.remove(0);
            }
            lines.push(line);
        }
    }
}

fn loopback_address(line: &str) -> Option<SocketAddr> {
    const HOST: &str = "127.0.0.1:";
    let rest = &line[line.find(HOST)? + HOST.len()..];
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(([127, 0, 0, 1], digits.parse().ok().filter(|port| *port != 0)?).into())
}
