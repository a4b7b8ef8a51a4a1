//! A directory that does as badly as a test tells it: it answers what it should not, late, in part or not at all, and keeps a
//! record of what it was asked.

use std::{
    collections::HashMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ct_codecs::{Base64, Decoder};
use tempfile::TempDir;

/// A server at a socket of its own. The first segment of a path says which behaviour is asked for.
pub struct Directory {
    folder: TempDir,
    shared: Arc<Shared>,
    /// Whether this time of being there lasts: it goes away, and another begins.
    present: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

/// What a request is answered with.
#[derive(Clone)]
pub enum Behaviour {
    /// This answer.
    Answer {
        /// Its status.
        status: u16,
        /// Its headers, without the length.
        headers: Vec<(&'static str, String)>,
        /// Its body.
        body: String,
    },
    /// This text, with an `ETag`, and 304 to who has it already.
    Document(String),
    /// This text in the parts that are asked for, whatever part of whatever text is asked for.
    Parts(String),
    /// The same, but 412 to who has the beginning of another text.
    MatchingParts(String),
    /// The first behaviour to who asks for the beginning of a text, the second to who asks for more of it.
    More(Box<Behaviour>, Box<Behaviour>),
    /// Another behaviour, after a while.
    After(Duration, Box<Behaviour>),
    /// No answer, on an open connection.
    Silence,
    /// A reset in the middle of the body.
    Reset,
    /// The announced body ends before its end.
    CutShort,
    /// So many MiB of a JSON text.
    Mebibytes(usize),
    /// One byte a second.
    OneByteASecond,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it was read.
    pub at: Instant,
    /// The method.
    pub method: String,
    /// The path and the query, still encoded.
    pub target: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

#[derive(Default)]
struct Shared {
    scripts: Mutex<HashMap<String, Vec<Behaviour>>>,
    seen: Mutex<Vec<Seen>>,
    connections: Mutex<Vec<UnixStream>>,
}

/// An answer with the status 200.
pub fn answer(body: impl Into<String>) -> Behaviour {
    Behaviour::Answer { status: 200, headers: vec![("content-type", "application/json".to_owned())], body: body.into() }
}

/// A part of a document, as a server says that has ranges, or that lies.
pub fn part(content_range: &str, body: impl Into<String>) -> Behaviour {
    let headers = vec![("etag", "\"a\"".to_owned()), ("content-range", content_range.to_owned())];
    Behaviour::Answer { status: 206, headers, body: body.into() }
}

/// An answer with another status and the body that a good one would have.
pub fn status(status: u16, body: impl Into<String>) -> Behaviour {
    Behaviour::Answer { status, headers: Vec::new(), body: body.into() }
}

impl Directory {
    /// One that knows no behaviour yet: every request is 404.
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut directory = Self { folder, shared: Arc::default(), present: Arc::default(), listener: None };
        directory.come_back();
        directory
    }

    /// From now on, requests under `/{route}` are answered by these behaviours in turn, and then always by the last.
    pub fn on(&self, route: &str, script: impl IntoIterator<Item = Behaviour>) -> &Self {
        let mut script: Vec<_> = script.into_iter().collect();
        script.reverse();
        self.shared.scripts.lock().unwrap().insert(route.to_owned(), script);
        self
    }

    /// The requests under `/{route}` so far.
    pub fn seen(&self, route: &str) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().iter().filter(|seen| seen.route() == route).cloned().collect()
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Closes every connection and listens no more: connections are refused.
    pub fn go_away(&mut self) {
        self.present.store(false, Ordering::SeqCst);
        if let Some(listener) = self.listener.take() {
            listener.join().unwrap();
        }
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            // An error means that it is closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Listens again where it did.
    pub fn come_back(&mut self) {
        // An error means that it was not there.
        let _ = fs::remove_file(self.socket());
        let listener = UnixListener::bind(self.socket()).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.present = Arc::new(AtomicBool::new(true));
        let (shared, present) = (Arc::clone(&self.shared), Arc::clone(&self.present));
        self.listener = Some(thread::spawn(move || listen(&listener, &shared, &present)));
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.go_away();
    }
}

impl Seen {
    /// The first segment of the path.
    pub fn route(&self) -> &str {
        route_of(&self.target)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The names and values of the query, decoded.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The segments of the path, decoded.
    pub fn segments(&self) -> Vec<String> {
        let path = self.target.split('?').next().unwrap();
        path.split('/').skip(1).map(percent_decoded).collect()
    }

    /// The name and the password of HTTP Basic.
    pub fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let decoded = String::from_utf8(Base64::decode_to_vec(encoded, None).ok()?).ok()?;
        decoded.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
    }
}

/// A text with `%` and two digits for some of its bytes (RFC 3986 §2.1).
pub fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn route_of(target: &str) -> &str {
    target.trim_start_matches('/').split(['/', '?']).next().unwrap()
}

fn listen(listener: &UnixListener, shared: &Arc<Shared>, present: &Arc<AtomicBool>) {
    while present.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((connection, _)) => {
                connection.set_nonblocking(false).unwrap();
                shared.connections.lock().unwrap().push(connection.try_clone().unwrap());
                let (shared, present) = (Arc::clone(shared), Arc::clone(present));
                thread::spawn(move || serve(connection, &shared, &present));
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

/// Serves one connection until either end has enough. An error means that the other end went away.
fn serve(mut connection: UnixStream, shared: &Shared, present: &AtomicBool) {
    while let Ok(head) = read_head(&mut connection) {
        let (seen, behaviour) = note(&head, shared);
        let goes_on = match behaviour {
            Behaviour::Reset => reset(&mut connection),
            behaviour => finish_reading(&mut connection, &head, &seen, shared)
                .and_then(|seen| behave(&mut connection, &behaviour, &seen, present)),
        };
        if !matches!(goes_on, Ok(true)) || !present.load(Ordering::SeqCst) {
            break;
        }
    }
    let _ = connection.shutdown(Shutdown::Both);
}

/// The head of a request but for its last byte: what is closed with bytes unread is reset and not just ended.
fn read_head(connection: &mut UnixStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r") {
        connection.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8(head).unwrap())
}

/// Records a request, and finds what to do with it.
fn note(head: &str, shared: &Shared) -> (usize, Behaviour) {
    let mut lines = head.trim_end().split("\r\n");
    let mut start = lines.next().unwrap().split(' ').map(str::to_owned);
    let headers = lines.filter_map(|line| line.split_once(": "));
    let request = Seen {
        at: Instant::now(),
        method: start.next().unwrap(),
        target: start.next().unwrap(),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        body: String::new(),
    };
    let behaviour = next_of(&mut shared.scripts.lock().unwrap(), request.route());
    let mut seen = shared.seen.lock().unwrap();
    seen.push(request);
    (seen.len() - 1, behaviour)
}

fn next_of(scripts: &mut HashMap<String, Vec<Behaviour>>, route: &str) -> Behaviour {
    match scripts.get_mut(route) {
        Some(script) if script.len() > 1 => script.pop().unwrap(),
        Some(script) => script.last().unwrap().clone(),
        None => status(404, "{}"),
    }
}

fn finish_reading(connection: &mut UnixStream, head: &str, seen: &usize, shared: &Shared) -> io::Result<Seen> {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut rest = vec![0; 1 + length.unwrap_or_default()];
    connection.read_exact(&mut rest)?;
    let request = &mut shared.seen.lock().unwrap()[*seen];
    request.body = String::from_utf8(rest.split_off(1)).unwrap();
    Ok(request.clone())
}

/// Does as told; false where the connection is to end then.
fn behave(to: &mut UnixStream, behaviour: &Behaviour, request: &Seen, present: &AtomicBool) -> io::Result<bool> {
    match behaviour {
        Behaviour::Answer { status, headers, body } => send(to, *status, headers, body),
        Behaviour::Document(document) => send_document(to, document, request),
        Behaviour::Parts(document) => send_part(to, document, request),
        Behaviour::MatchingParts(document) => match request.header("if-match") {
            Some(tag) if tag != tag_of(document) => send(to, 412, &[("etag", tag_of(document))], ""),
            _ => send_part(to, document, request),
        },
        Behaviour::More(start, more) => {
            let is_start = request.header("range").is_none_or(|range| range.starts_with("bytes=0-"));
            behave(to, if is_start { start } else { more }, request, present)
        }
        Behaviour::After(while_, behaviour) => {
            thread::sleep(*while_);
            behave(to, behaviour, request, present)
        }
        Behaviour::Silence => wait_for_the_end(to),
        Behaviour::Reset => reset(to),
        Behaviour::CutShort => send_half(to),
        Behaviour::Mebibytes(size) => send(to, 200, &[], &format!("\"{}\"", "x".repeat(size * 1024 * 1024))),
        Behaviour::OneByteASecond => trickle(to, present),
    }
}

fn send(to: &mut UnixStream, status: u16, headers: &[(&str, String)], body: &str) -> io::Result<bool> {
    let mut head = format!("HTTP/1.1 {status} Because\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if status != 204 && status != 304 {
        head += &format!("content-length: {}\r\n", body.len());
    }
    to.write_all(format!("{head}\r\n{body}").as_bytes())?;
    Ok(true)
}

fn send_document(to: &mut UnixStream, document: &str, request: &Seen) -> io::Result<bool> {
    let tag = tag_of(document);
    if request.header("if-none-match") == Some(&tag) {
        return send(to, 304, &[("etag", tag)], "");
    }
    send(to, 200, &[("etag", tag)], document)
}

/// As a server with ranges does (RFC 9110 §14.2), as far as one range is asked for.
fn send_part(to: &mut UnixStream, document: &str, request: &Seen) -> io::Result<bool> {
    let asked = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let tag = tag_of(document);
    match asked.map(|(first, last)| (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap())) {
        _ if request.header("if-none-match") == Some(&tag) => send(to, 304, &[("etag", tag)], ""),
        None => send(to, 200, &[("etag", tag)], document),
        Some((first, _)) if first >= document.len() => send(to, 416, &[], ""),
        Some((first, last)) => {
            let part = &document[first..document.len().min(last + 1)];
            let range = format!("bytes {first}-{}/{}", first + part.len() - 1, document.len());
            send(to, 206, &[("etag", tag), ("content-range", range)], part)
        }
    }
}

fn tag_of(document: &str) -> String {
    let mut hasher = DefaultHasher::new();
    document.hash(&mut hasher);
    format!("\"{:x}\"", hasher.finish())
}

fn wait_for_the_end(of: &mut UnixStream) -> io::Result<bool> {
    while of.read(&mut [0; 1024])? > 0 {}
    Ok(false)
}

/// Half a body, and a moment for it to arrive.
fn send_half(to: &mut UnixStream) -> io::Result<bool> {
    to.write_all(b"HTTP/1.1 200 Because\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"rows\": [")?;
    thread::sleep(Duration::from_millis(30));
    Ok(false)
}

/// The same, but with bytes of the request left unread, which makes the end a reset.
fn reset(to: &mut UnixStream) -> io::Result<bool> {
    send_half(to)
}

fn trickle(to: &mut UnixStream, present: &AtomicBool) -> io::Result<bool> {
    to.write_all(b"HTTP/1.1 200 Because\r\ncontent-length: 1000\r\n\r\n")?;
    while present.load(Ordering::SeqCst) {
        to.write_all(b" ")?;
        thread::sleep(Duration::from_secs(1));
    }
    Ok(false)
}
