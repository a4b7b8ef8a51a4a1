//! Servers as other people made them, Datasette and nginx, each run unchanged in a folder and behind a socket of its own: the
//! examples of `envoy/examples`, as the reader finds them there.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Far longer than a start takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with its test.
pub struct Server {
    program: Program,
    process: Child,
    folder: TempDir,
}

#[derive(Clone, Copy, PartialEq)]
enum Program {
    Datasette,
    Nginx,
}

/// A file of an example.
pub fn example(name: &str) -> String {
    let path = examples().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Server {
    /// Datasette with the example's table of users.
    pub fn datasette() -> Self {
        let folder = copy_of("lookup-datasette");
        make_database(folder.path());
        Self::start(Program::Datasette, folder)
    }

    /// nginx with the files of an example.
    pub fn nginx(example: &str) -> Self {
        Self::start(Program::Nginx, copy_of(example))
    }

    fn start(program: Program, folder: TempDir) -> Self {
        let process = program.start(folder.path());
        let mut server = Self { program, process, folder };
        server.wait_until_it_listens();
        server
    }

    /// Ends the server as a power cut would.
    pub fn go_away(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts the server again where it was.
    pub fn come_back(&mut self) {
        fs::remove_file(self.socket()).unwrap();
        self.process = self.program.start(self.folder.path());
        self.wait_until_it_listens();
    }

    /// Where the server listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(self.program.socket())
    }

    /// The lines that the server's own access log has of requests.
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
        log.lines().filter(|line| line.contains(" HTTP/1.1\"")).map(str::to_owned).collect()
    }

    /// Replaces a file that the server serves, as an administrator does: at one stroke.
    pub fn replace(&self, file: &str, content: &str) {
        let file = self.folder.path().join(file);
        let new = file.with_extension("new");
        fs::write(&new, content).unwrap();
        fs::rename(new, file).unwrap();
    }

    /// Changes the users with an SQL statement.
    pub fn execute(&self, sql: &str) {
        run_sql(self.folder.path(), sql);
    }

    fn wait_until_it_listens(&mut self) {
        let started = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            assert_eq!(self.process.try_wait().unwrap(), None, "a server ended:\n{}", self.output());
            assert!(started.elapsed() < PATIENCE, "waited in vain for a server:\n{}", self.output());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn output(&self) -> String {
        fs::read_to_string(self.folder.path().join(self.program.log())).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("the requests that a server saw: {:#?}", self.requests());
        }
    }
}

impl Program {
    fn start(self, folder: &Path) -> Child {
        let output = File::options().create(true).append(true).open(folder.join(self.log())).unwrap();
        let mut command = match self {
            Self::Datasette => datasette(),
            Self::Nginx => nginx(),
        };
        command.current_dir(folder).stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}: run these tests by `make test`"))
    }

    fn socket(self) -> &'static str {
        match self {
            Self::Datasette => "datasette.sock",
            Self::Nginx => "nginx.sock",
        }
    }

    /// Datasette writes its access log to its output; nginx has a file for it, and another for what it has to say.
    fn log(self) -> &'static str {
        match self {
            Self::Datasette => "access.log",
            Self::Nginx => "error.log",
        }
    }
}

fn datasette() -> Command {
    let mut command = Command::new(tool("datasette"));
    command.args(["serve", "people.db", "--uds", "datasette.sock"]);
    command
}

/// One process and no daemon, so that nothing is left when it is killed; the configuration is the example's.
fn nginx() -> Command {
    let debian = Path::new("/usr/sbin/nginx");
    let mut command = Command::new(if debian.exists() { debian } else { Path::new("nginx") });
    command.args(["-p", ".", "-e", "error.log", "-c", "nginx.conf", "-g", "daemon off; master_process off;"]);
    command
}

/// A program of the environment in which `make directories` installs Datasette.
fn tool(name: &str) -> PathBuf {
    let path = repository().join(".tools/directories/bin").join(name);
    assert!(path.exists(), "no {}: `make directories` installs it", path.display());
    path
}

fn make_database(folder: &Path) {
    run_sql(folder, &fs::read_to_string(folder.join("users.sql")).unwrap());
}

/// What the `sqlite3` command does, which not every machine has.
fn run_sql(folder: &Path, sql: &str) {
    let script = "import sqlite3, sys; sqlite3.connect('people.db').executescript(sys.stdin.read())";
    let mut python = Command::new(tool("python3"));
    let mut python = python.args(["-c", script]).current_dir(folder).stdin(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    assert!(python.wait().unwrap().success());
}

fn copy_of(example: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    copy(&examples().join(example), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn examples() -> PathBuf {
    repository().join("envoy/examples")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
