//! An HTTP/1.1 client without opinions: slow, split and broken requests are as easy to send as good ones.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::response::Response;

/// Far longer than any answer takes, so that a hung request is a failure and not a hung test.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// Sends one request with a body of known length.
pub fn send(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: gateway.example.com\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        request += &format!("content-length: {}\r\n", body.len());
    }
    let mut connection = Connection::open(to);
    connection.write(&format!("{request}\r\n{body}"));
    connection.read()
}

/// Sends a form, as a login does.
pub fn post_form(to: SocketAddr, path: &str, form: &str) -> Response {
    send(to, "POST", path, &[("content-type", "application/x-www-form-urlencoded")], form)
}

/// Sends a GET.
pub fn get(to: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    send(to, "GET", path, headers, "")
}

impl Connection {
    pub fn open(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).expect("the listener accepts");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Writes bytes as they are, in one packet where they fit.
    pub fn write(&mut self, bytes: &str) {
        self.stream.get_mut().write_all(bytes.as_bytes()).expect("the connection is open");
    }

    /// Reads the next answer, interim ones (1xx) included.
    pub fn read(&mut self) -> Response {
        let status_line = self.line();
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a status line: {status_line:?}"));
        let headers: Vec<_> = std::iter::from_fn(|| self.header()).collect();
        let mut response = Response { status, headers, body: Vec::new() };
        response.body = match response.header("content-length") {
            Some(length) => self.bytes(length.parse().unwrap()),
            None if response.header("transfer-encoding") == Some("chunked") => self.chunks(),
            None => Vec::new(),
        };
        response
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line(), 16).expect("a chunk's length");
            body.extend(self.bytes(length));
            self.line();
            if length == 0 {
                return body;
            }
        }
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).expect("the whole body");
        bytes
    }

    fn header(&mut self) -> Option<(String, String)> {
        let line = self.line();
        let (name, value) = line.split_once(": ")?;
        Some((name.to_ascii_lowercase(), value.to_owned()))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("an answer in time");
        line.trim_end().to_owned()
    }
}
