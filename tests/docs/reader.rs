//! Somebody who follows a page of the documentation to the letter: types its commands into a real shell, saves its files,
//! and compares what comes out with what the page says. Nothing on a page is skipped; a block that no rule covers is a
//! failure.
//!
//! | block | what becomes of it |
//! | --- | --- |
//! | `sh` | is typed into the page's terminal; variables and the folder stay for the next one |
//! | `sh server` | is typed into another terminal, where it stays until the end of the page |
//! | `json`, `text` behind one of these | is what the last command printed; `…` stands for anything |
//! | `log` | its lines are in the log of a server, as it says them |
//! | anything with a file's name | is saved under it, for a command that names it |
//! | `yaml`, `json` elsewhere | is a part of the filter's configuration, and accepted |
//! | no language | is what Envoy's log says of a configuration that is refused |

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixStream,
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    fragments,
    markdown::{Block, Page, repository},
};
use crate::support::{
    gateway::{Gateway, Keys, demo, poll},
    start::free_port,
};

/// What is typed where a command asks for a password.
const TYPED: &str = "correct horse battery staple\n";

/// The ports that pages speak of: of the gateway, of its admin, of an existing service.
const PORTS: [u16; 3] = [10000, 9901, 8080];

/// Where pages reach a gateway that is not on this machine.
const ELSEWHERE: &str = "https://gateway.example.com";

/// All that is not what it seems: a program of this name stands in for what can't be had in a test.
const STAND_INS: [(&str, &str); 7] = [
    // What `make build` makes is there; benchmarks and tests need only be some that it knows.
    (
        "make",
        r#"case "$*" in
        build) mkdir -p target/wasm32-wasip1/release
               cp "$TOKEN_ENDPOINT_WASM" target/wasm32-wasip1/release/token_endpoint.wasm ;;
        package) PATH="$SYSTEM_PATH" python3 -B "$REPOSITORY/envoy/package" "$TOKEN_ENDPOINT_WASM" target/package ;;
        test | bench-*) grep -qw "${1#bench-}" "$REPOSITORY/Makefile" ;;
        *) exit 1 ;;
        esac"#,
    ),
    // The tool on the PATH is the one that cargo has built for these tests.
    ("cargo", r#"test "$*" = "install --path .""#),
    // `make directories` has done so, and the program is on the PATH.
    ("pip", r#"test "$*" = "install datasette" && command -v datasette"#),
    // It asks for a password twice on a terminal, and writes what is in the file that comes with the example.
    ("htpasswd", r#"test "$*" = "-B htpasswd alice" && grep -qF 'alice:$2y$' htpasswd"#),
    (
        "sqlite3",
        r#"exec python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())' "$@""#,
    ),
    // The registry is a folder.
    (
        "skopeo",
        r#"from="$2" to="$3"
        test "$1" = copy
        test "${to#docker://registry.example.com/token-endpoint:}" != "$to"
        PATH="$SYSTEM_PATH" exec skopeo --insecure-policy copy "$from" "dir:$PROGRAMS/registry""#,
    ),
    // There is no cluster. The files and the keys must be there; what is asked of the proxy is asked of the gateway.
    (
        "kubectl",
        r#"if [ "$1" = -n ]; then
            case "$2" in istio-system | envoy-gateway-system | default) shift 2 ;; *) exit 1 ;; esac
        fi
        case "$*" in
        "create secret generic token-endpoint --from-file="*)
            shift 4
            for entry; do
                file="${entry##*=}" entry="${entry#--from-file=}"
                grep -q "key: ${entry%%=*}}" envoy/istio/ingress-gateway/environment.yaml
                test "$(wc -c < "$file")" -ge 43
            done ;;
        "create configmap token-endpoint-jwks --from-file=jwks") grep -q '"kid":' jwks ;;
        "patch deployment istio-ingressgateway --patch-file "*) grep -q 'kind: Deployment' "$5" ;;
        "apply -f "*)
            shift
            while [ "$#" -gt 0 ]; do
                test "$1" = -f
                grep -qE '^apiVersion: .*(istio.io|envoyproxy.io|networking.k8s.io)/' "$2"
                ! grep -q not-yours-yet "$2"
                shift 2
            done ;;
        "rollout status deployment/istio-ingressgateway") ;;
        "logs deployment/istio-ingressgateway") cat "$GATEWAY_LOG" ;;
        "exec deployment/istio-ingressgateway -- pilot-agent request GET "*) exec curl -s "http://$GATEWAY_ADMIN/$7" ;;
        *) echo "nothing stands in for kubectl $*" >&2; exit 1 ;;
        esac"#,
    ),
];

/// Somebody at a page.
pub struct Reader {
    terminal: Terminal,
    servers: Vec<Server>,
    gateway: Option<Gateway>,
    ports: Vec<(u16, u16)>,
    /// What the last command printed.
    printed: Option<String>,
    /// Files that no command has named yet.
    saved: Vec<String>,
    /// A copy of what the page's commands may name.
    home: TempDir,
    programs: TempDir,
}

/// A shell, and the two ends of its pipe.
struct Terminal {
    shell: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What stays in another terminal.
struct Server {
    process: Child,
    log: PathBuf,
}

/// Follows a page from its first block to its last.
pub fn follow(page: &Page) -> Reader {
    let mut reader = Reader::at(page, None);
    reader.read(page).unwrap_or_else(|trouble| panic!("{trouble}"));
    reader
}

/// The same where a gateway runs already.
pub fn follow_with(page: &Page, gateway: Gateway) {
    Reader::at(page, Some(gateway)).read(page).unwrap_or_else(|trouble| panic!("{trouble}"));
}

/// What is wrong with a page.
pub fn trouble_with(page: &Page) -> Option<String> {
    Reader::at(page, None).read(page).err()
}

impl Reader {
    fn at(page: &Page, gateway: Option<Gateway>) -> Self {
        let (home, programs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        // nginx reads its files as another user.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        ["envoy", "docs"].iter().for_each(|folder| copy(&repository().join(folder), &home.path().join(folder)));
        fs::copy(repository().join("README.md"), home.path().join("README.md")).unwrap();
        install(programs.path());
        let folder = home.path().join(page.path.strip_prefix("docs").unwrap_or(&page.path)).with_file_name("");
        fs::create_dir_all(&folder).unwrap();
        let ports = PORTS.map(|port| (port, free_port())).to_vec();
        let terminal = Terminal::open(&mut shell(&folder, &programs, gateway.as_ref()));
        let (servers, saved) = (Vec::new(), Vec::new());
        let mut reader = Self { terminal, servers, gateway: None, ports, printed: None, saved, home, programs };
        gateway.into_iter().for_each(|gateway| reader.meet(gateway));
        reader
    }

    /// A file that has come about.
    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join(name)).unwrap()
    }

    fn read(&mut self, page: &Page) -> Result<(), String> {
        for block in page.blocks() {
            let place = format!("{}:{}", page.path.display(), block.line);
            self.block(&block).map_err(|trouble| format!("{place}: {trouble}\n{}\n{}", block.text, self.logs()))?;
        }
        match self.saved.first() {
            Some(file) => Err(format!("{}: no command takes {file}", page.path.display())),
            None => Ok(()),
        }
    }

    fn block(&mut self, block: &Block) -> Result<(), String> {
        match (block.language.as_str(), block.name.as_deref()) {
            ("sh", None) => self.type_in(&self.here(&block.text)),
            ("sh", Some("server")) => self.serve(&self.here(&block.text)),
            (_, Some(file)) => self.save(file, &block.text),
            ("json", None) if self.printed.is_some() => self.compare(&block.text, is_like_json),
            ("text", None) if self.printed.is_some() => self.compare(&block.text, is_like),
            ("log", None) => self.find_in_logs(&block.text),
            ("yaml" | "json", None) => fragments::accept(&block.text),
            ("", None) => fragments::refuse(&block.text),
            (language, None) => Err(format!("no rule covers a block of {language:?}")),
        }
    }

    fn type_in(&mut self, commands: &str) -> Result<(), String> {
        self.saved.retain(|file| !commands.contains(file));
        let commands = commands.replace(ELSEWHERE, &format!("http://127.0.0.1:{}", self.ports[0].1));
        let file = self.programs.path().join("typed-commands");
        fs::write(&file, commands).unwrap();
        let typed = self.programs.path().join("typed");
        fs::write(&typed, TYPED).unwrap();
        let run = format!(". {} < {}", file.display(), typed.display());
        let printed = self.terminal.run(&run);
        let failed = |printed| format!("a command failed, having printed:\n{printed}\n{}", self.complaints());
        self.printed = Some(printed.map_err(failed)?);
        Ok(())
    }

    /// Opens another terminal where the reader stands, and waits until what it starts is there.
    fn serve(&mut self, commands: &str) -> Result<(), String> {
        self.printed = None;
        if commands.trim() == "make run" {
            self.meet(Gateway::start_talkative(&demo(), Keys::of_this_run()));
            return Ok(());
        }
        let folder = self.folder()?;
        let log = self.programs.path().join(format!("server-{}", self.servers.len()));
        let output = File::create(&log).unwrap();
        let mut shell = shell(&folder, &self.programs, self.gateway.as_ref());
        shell.args(["-eu", "-c", commands]).stdin(Stdio::null()).process_group(0);
        let process = shell.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        self.servers.push(Server { process, log });
        self.wait_until_there(&folder, commands);
        Ok(())
    }

    /// Waits for the ports and the socket that the commands speak of, or the files that they name.
    fn wait_until_there(&mut self, folder: &Path, commands: &str) {
        let stop = commands.lines().filter_map(|line| line.strip_prefix("cd ")).next_back();
        let folder = stop.map_or_else(|| folder.to_owned(), |stop| folder.join(stop));
        let files = commands.split_whitespace().filter_map(|word| fs::read_to_string(folder.join(word)).ok());
        let text = files.collect::<String>() + commands;
        let ports: Vec<_> = self.ports.iter().map(|(_, port)| *port).filter(|port| has_number(&text, *port)).collect();
        let mut words = text.split([' ', '\n', ';', ':']);
        let socket = words.find(|word| word.ends_with(".sock")).map(|name| folder.join(name));
        assert!(!ports.is_empty() || socket.is_some(), "nothing tells where this server listens");
        let Server { process, log } = self.servers.last_mut().unwrap();
        poll("a server to listen", || {
            let ended = process.try_wait().unwrap();
            assert_eq!(ended, None, "a server ended:\n{}", fs::read_to_string(&log).unwrap_or_default());
            let has_ports = ports.iter().all(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok());
            (has_ports && socket.as_ref().is_none_or(|socket| UnixStream::connect(socket).is_ok())).then_some(())
        });
    }

    /// From now on, this is the gateway that the page speaks of.
    fn meet(&mut self, gateway: Gateway) {
        self.ports[0].1 = gateway.address().port();
        self.ports[1].1 = gateway.admin().port();
        self.gateway = Some(gateway);
    }

    fn save(&mut self, file: &str, text: &str) -> Result<(), String> {
        self.printed = None;
        self.saved.push(file.to_owned());
        fs::write(self.folder()?.join(file), self.here(text)).map_err(|error| error.to_string())
    }

    fn compare(&mut self, expected: &str, is_like: fn(&str, &str) -> bool) -> Result<(), String> {
        let printed = self.printed.take().unwrap_or_default();
        if is_like(&self.here(expected), &printed) { Ok(()) } else { Err(format!("this came out:\n{printed}")) }
    }

    fn find_in_logs(&self, lines: &str) -> Result<(), String> {
        for line in lines.lines() {
            let pattern = format!("…{line}…");
            poll(&format!("the log to say {line}"), || is_like(&pattern, &self.logs()).then_some(()));
        }
        Ok(())
    }

    /// A text with the ports that there are here.
    fn here(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (told, port)| with_number(&text, *told, *port))
    }

    fn folder(&mut self) -> Result<PathBuf, String> {
        self.terminal.run("pwd").map(|folder| PathBuf::from(folder.trim()))
    }

    fn complaints(&self) -> String {
        fs::read_to_string(self.programs.path().join("complaints")).unwrap_or_default()
    }

    fn logs(&self) -> String {
        let servers = self.servers.iter().map(|server| fs::read_to_string(&server.log).unwrap_or_default());
        servers.chain(self.gateway.as_ref().map(Gateway::log)).collect()
    }
}

impl Terminal {
    fn open(shell: &mut Command) -> Self {
        let mut shell = shell.args(["-eu"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (shell.stdin.take().unwrap(), BufReader::new(shell.stdout.take().unwrap()));
        Self { shell, input, output }
    }

    /// What a command prints. An error if it, or one of those in it, fails: the shell ends then.
    fn run(&mut self, command: &str) -> Result<String, String> {
        const END: &str = "that is all of it";
        writeln!(self.input, "{command}\nprintf '\\n{END}\\n'").map_err(|error| error.to_string())?;
        let mut printed = String::new();
        while !printed.trim_end().ends_with(END) {
            if self.output.read_line(&mut printed).map_err(|error| error.to_string())? == 0 {
                return Err(printed);
            }
        }
        Ok(printed.trim_end().trim_end_matches(END).trim_end().replace('\r', ""))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Errors mean that it has ended.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        // Errors mean that it has ended.
        let _ = Command::new("kill").args(["-TERM", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

/// A shell with the page's programs, whose complaints are kept.
fn shell(folder: &Path, programs: &TempDir, gateway: Option<&Gateway>) -> Command {
    let complaints = File::options().create(true).append(true).open(programs.path().join("complaints")).unwrap();
    let system_path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell
        .current_dir(folder)
        .env("PATH", format!("{}:{system_path}", programs.path().display()))
        .env("SYSTEM_PATH", system_path)
        .env("PROGRAMS", programs.path())
        .env("REPOSITORY", repository())
        .stderr(complaints);
    if let Some(gateway) = gateway {
        shell.env("GATEWAY_ADMIN", gateway.admin().to_string()).env("GATEWAY_LOG", gateway.log_file());
    }
    shell
}

/// Fills a folder with the programs that pages name.
fn install(folder: &Path) {
    let envoy = std::env::var_os("ENVOY").expect("ENVOY is set: run these tests by `make test`");
    symlink(env!("CARGO_BIN_EXE_token-endpoint"), folder.join("token-endpoint")).unwrap();
    symlink(envoy, folder.join("envoy")).unwrap();
    symlink(repository().join(".tools/directories/bin/datasette"), folder.join("datasette")).unwrap();
    for (name, script) in STAND_INS {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\nset -eu\n{script}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() { copy(&path, &to) } else { _ = fs::copy(path, to).unwrap() }
    }
}

/// A text with one number for another, where it stands by itself.
fn with_number(text: &str, number: u16, other: u16) -> String {
    let number = number.to_string();
    let mut changed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&number) {
        let end = at + number.len();
        let is_digit = |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
        let is_alone = !is_digit(rest[..at].chars().next_back()) && !is_digit(rest[end..].chars().next());
        changed += &rest[..at];
        changed += &if is_alone { other.to_string() } else { number.clone() };
        rest = &rest[end..];
    }
    changed + rest
}

fn has_number(text: &str, number: u16) -> bool {
    text.split(|character: char| !character.is_ascii_digit()).any(|word| word.parse() == Ok(number))
}

/// Whether a text is what a pattern says, in which `…` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.trim_end().split('…');
    let Some(mut rest) = text.trim_end().strip_prefix(pieces.next().unwrap()) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        let at = if pieces.peek().is_some() { rest.find(piece) } else { rest.rfind(piece) };
        let Some(at) = at else { return false };
        let is_last = pieces.peek().is_none();
        rest = &rest[at + piece.len()..];
        if is_last && !rest.is_empty() {
            return false;
        }
    }
    true
}

/// The same for JSON, of which the text may be the end.
fn is_like_json(pattern: &str, text: &str) -> bool {
    let pattern: Value = serde_json::from_str(pattern).unwrap_or_else(|error| panic!("not JSON: {error}: {pattern}"));
    let json = text.find(['{', '[']).and_then(|start| serde_json::from_str::<Value>(&text[start..]).ok());
    json.is_some_and(|json| is_like_value(&pattern, &json))
}

fn is_like_value(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::String(pattern), Value::String(text)) => is_like(pattern, text),
        (Value::String(pattern), _) if pattern == "…" => true,
        (Value::Object(pattern), Value::Object(object)) => {
            let same =
                |(name, pattern): (&String, &Value)| object.get(name).is_some_and(|v| is_like_member(name, pattern, v));
            pattern.len() == object.len() && pattern.iter().all(same)
        }
        (Value::Array(pattern), Value::Array(values)) => {
            pattern.len() == values.len()
                && pattern.iter().zip(values).all(|(pattern, value)| is_like_value(pattern, value))
        }
        _ => pattern == value,
    }
}

/// A lifetime may have begun to run out: where a second ends between a token's start and its answer, one is gone.
fn is_like_member(name: &str, pattern: &Value, value: &Value) -> bool {
    let is_a_second_less = || value.as_u64().is_some_and(|seconds| pattern.as_u64() == Some(seconds + 1));
    is_like_value(pattern, value) || (name == "expires_in" && is_a_second_less())
}
