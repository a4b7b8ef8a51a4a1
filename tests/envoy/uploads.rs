//! Uploads that never end, over HTTP/2, where one connection may have many: what they hold of the proxy's memory is bounded by the
//! demo's configuration, and others are served meanwhile.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::{
    SendStream,
    client::{self, ResponseFuture},
};
use http::Request;
use tokio::{net::TcpStream, runtime, time};

use crate::support::{
    gateway::{self, Gateway, Keys, poll, replaced},
    stories::{FORM_TYPE, SAMPLE},
};

const CONNECTIONS: usize = 10;
/// As many at once as Envoy allows by itself.
const MOST_UPLOADS: usize = 2_000;
/// What the filter reads of a form at most, but for its last byte.
const HALF_SENT: &[u8] = &[b'a'; 16 * 1024 - 1];

const STREAMS: &str = "http2_protocol_options: {max_concurrent_streams: 100}";
const HEAP: &str = "max_heap_size_bytes: 1073741824";

/// Longer than it takes Envoy to see what it has.
const BETWEEN: Duration = Duration::from_millis(300);

/// What uploads under way have come to.
struct Held {
    uploads: usize,
    mebibytes: u64,
    /// What others are told meanwhile.
    login: u16,
}

/// An upload's two ends: it is reset where they are dropped.
type Upload = (ResponseFuture, SendStream<Bytes>);

impl Held {
    /// By as many uploads as Envoy lets ten connections begin, one connection after the other; once they are gone, all is well.
    fn of(yaml: &str) -> Self {
        let gateway = Gateway::start_with_workers(1, yaml, Keys::of_this_run());
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let held = runtime.block_on(Self::at(&gateway));
        println!("{} uploads hold {} MiB; a login meanwhile: {}", held.uploads, held.mebibytes, held.login);
        drop(runtime);
        poll("logins to be served again", || (gateway.token(SAMPLE).status == 200).then_some(()));
        held
    }

    async fn at(gateway: &Gateway) -> Self {
        assert_eq!(gateway.token(SAMPLE).status, 200, "the VM has what memory a login takes");
        let before = gateway.resident_bytes();
        let mut uploads = Vec::new();
        for _ in 0..CONNECTIONS {
            uploads.extend(upload(gateway.address()).await);
            time::sleep(BETWEEN).await;
        }
        let mebibytes = gateway.resident_bytes().saturating_sub(before) >> 20;
        Self { uploads: uploads.len(), mebibytes, login: gateway.token(SAMPLE).status }
    }
}

/// Begins as many uploads over one connection as the other side allows.
async fn upload(to: SocketAddr) -> Vec<Upload> {
    let stream = TcpStream::connect(to).await.unwrap();
    // None before the other side has said how many.
    let (mut sender, connection) = client::Builder::new().initial_max_send_streams(0).handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut uploads: Vec<Upload> = Vec::new();
    while uploads.is_empty() || uploads.len() < sender.current_max_send_streams().min(MOST_UPLOADS) {
        let request = Request::post("http://gateway.example.com/oauth2/token").header("content-type", FORM_TYPE);
        let (answer, mut body) = sender.send_request(request.body(()).unwrap(), false).unwrap();
        body.send_data(Bytes::from_static(HALF_SENT), false).unwrap();
        uploads.push((answer, body));
        sender = sender.ready().await.unwrap();
    }
    uploads
}

#[test]
fn uploads_that_never_end_hold_a_tenth_of_what_they_would_without_a_bound_on_streams() {
    let unbounded = Held::of(&gateway::demo_with(STREAMS, ""));
    let bounded = Held::of(&gateway::demo());

    assert_eq!((bounded.uploads, bounded.login), (CONNECTIONS * 100, 200));
    assert!(bounded.mebibytes < 60, "{} MiB", bounded.mebibytes);
    assert!(unbounded.mebibytes > 4 * bounded.mebibytes, "{} MiB", unbounded.mebibytes);
}

#[test]
fn where_memory_is_used_up_no_more_requests_are_taken() {
    let small = gateway::demo_with(HEAP, "max_heap_size_bytes: 134217728");
    let held = Held::of(&replaced(&small, STREAMS, ""));

    assert!(held.mebibytes < 200, "{} MiB", held.mebibytes);
    assert_eq!(held.login, 503);
}
