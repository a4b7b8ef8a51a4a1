//! An HTTP/2 client with prior knowledge that sends the frames it is told, trailers included.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::client;
use http::{HeaderMap, Request};
use tokio::{net::TcpStream, runtime, time};

use super::response::Response;

/// Far longer than any answer takes, so that a hung request is a failure and not a hung test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends one request, its body in one DATA frame, if any.
pub fn send(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let frames: Vec<&str> = if body.is_empty() { vec![] } else { vec![body] };
    send_frames(to, method, path, headers, &frames, None)
}

/// Sends one request, each part of its body in a DATA frame of its own, and trailers last.
pub fn send_frames(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    frames: &[&str],
    trailers: Option<(&'static str, &'static str)>,
) -> Response {
    let mut request = Request::builder().method(method).uri(format!("http://gateway.example.com{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).unwrap();
    let frames: Vec<Bytes> = frames.iter().map(|frame| Bytes::copy_from_slice(frame.as_bytes())).collect();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let exchange = exchange(to, request, frames, trailers);
    runtime.block_on(async { time::timeout(PATIENCE, exchange).await }).expect("an answer in time").expect("an answer")
}

/// Sends the frames and reads the whole answer.
async fn exchange(
    to: SocketAddr,
    request: Request<()>,
    frames: Vec<Bytes>,
    trailers: Option<(&'static str, &'static str)>,
) -> Result<Response, h2::Error> {
    let stream = TcpStream::connect(to).await.expect("the listener accepts");
    let (sender, connection) = client::handshake(stream).await?;
    tokio::spawn(connection);
    let mut sender = sender.ready().await?;

    let (response, mut stream) = sender.send_request(request, frames.is_empty() && trailers.is_none())?;
    let last = frames.len();
    for (at, frame) in (1..).zip(frames) {
        // An error is no failure: who is refused early has its stream reset before it has sent everything.
        let _ = stream.send_data(frame, at == last && trailers.is_none());
    }
    if let Some((name, value)) = trailers {
        let trailers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        stream.send_trailers(trailers)?;
    }

    let (head, mut body) = response.await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        bytes.extend_from_slice(&data);
    }
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Ok(Response { status: head.status.as_u16(), headers: headers.collect(), body: bytes })
}
