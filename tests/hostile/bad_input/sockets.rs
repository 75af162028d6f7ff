//! WebSockets that do not keep to their protocol, over plain sockets.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::SOCKETS;
use super::election::{Election, PATIENCE};

/// What a browser says to open a socket.
const HELLO: [(&str, &str); 5] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("host", "x"),
];

/// A header that takes the place of the browser's, and the answer. An empty value leaves it out.
const HANDSHAKES: [(&str, &str, u16); 18] = [
    ("connection", "keep-alive, upgrade", 101),
    ("upgrade", "WebSocket", 101),
    ("sec-websocket-key", "short", 101),
    ("sec-websocket-protocol", "chat, superchat", 101),
    ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits=99", 101),
    ("origin", "http://evil.example", 101),
    ("connection", "", 426),
    ("connection", "close", 426),
    ("connection", "keep-alive", 426),
    ("upgrade", "", 426),
    ("upgrade", "h2c", 426),
    ("upgrade", "websocket2", 426),
    ("sec-websocket-version", "", 426),
    ("sec-websocket-version", "12", 426),
    ("sec-websocket-version", "130", 426),
    ("sec-websocket-version", "thirteen", 426),
    ("sec-websocket-key", "", 426),
    ("sec-websocket-key", "\u{e9}", 101),
];

/// First lines of a handshake that is good otherwise.
const LINES: [(&str, u16); 8] = [
    ("GET /ws/es HTTP/1.1", 101),
    ("GET /ws?x HTTP/1.1", 101),
    ("GET /ws HTTP/1.0", 426),
    ("POST /ws HTTP/1.1", 405),
    ("HEAD /ws HTTP/1.1", 426),
    ("GET /ws/ HTTP/1.1", 404),
    ("GET /ws/xx HTTP/1.1", 404),
    ("GET /ws/es/more HTTP/1.1", 404),
];

/// Frames after which the server lets the viewer go. A client masks what it sends; this mask changes nothing.
const WRONG: [&[u8]; 31] = [
    // Not masked.
    b"\x81\x02hi",
    b"\x82\x00",
    b"\x89\x00",
    b"\x88\x00",
    // A control frame in parts.
    b"\x09\x80\0\0\0\0",
    b"\x08\x80\0\0\0\0",
    b"\x0a\x80\0\0\0\0",
    // The middle or the end of a message that never began, and a beginning within one.
    b"\x80\x80\0\0\0\0",
    b"\x00\x82\0\0\0\0hi",
    b"\x01\x81\0\0\0\0h\x81\x81\0\0\0\0i",
    b"\x01\x81\0\0\0\0h\x82\x81\0\0\0\0i",
    // Text that is none.
    b"\x81\x81\0\0\0\0\xff",
    b"\x81\x82\0\0\0\0\xc3\x28",
    b"\x81\x83\0\0\0\0\xed\xa0\x80",
    b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0\x28",
    // More than a viewer may say: 1025 bytes, 64 KiB, a gigabyte, more than there are.
    b"\x81\xfe\x04\x01\0\0\0\0",
    b"\x82\xfe\xff\xff\0\0\0\0",
    b"\x81\xff\x00\x00\x00\x00\x40\x00\x00\x00\0\0\0\0",
    b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
    b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
    // Farewells, proper ones and not.
    b"\x88\x80\0\0\0\0",
    b"\x88\x82\0\0\0\0\x03\xe8",
    b"\x88\x81\0\0\0\0\x03",
    b"\x88\x82\0\0\0\0\0\0",
    b"\x88\x82\0\0\0\0\x03\xed",
    b"\x88\x82\0\0\0\0\x03\xee",
    b"\x88\x82\0\0\0\0\x03\xf7",
    b"\x88\x82\0\0\0\0\x27\x10",
    b"\x88\x83\0\0\0\0\x03\xe8\xff",
    // Another protocol.
    b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03",
];

/// Frames that a viewer may send, although nobody listens.
const ODD: [&[u8]; 11] = [
    b"\x81\x80\0\0\0\0",
    b"\x81\x82\0\0\0\0hi",
    b"\x82\x82\0\0\0\0\xff\xff",
    b"\x81\x82\x01\x02\x03\x04ik",
    b"\x01\x81\0\0\0\0h\x80\x81\0\0\0\0i",
    b"\x01\x80\0\0\0\0\x00\x80\0\0\0\0\x80\x80\0\0\0\0",
    b"\x01\x81\0\0\0\0h\x8a\x80\0\0\0\0\x80\x81\0\0\0\0i",
    b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0\xb1",
    b"\x81\xfe\x00\x02\0\0\0\0hi",
    b"\x8a\x80\0\0\0\0",
    b"\x8a\x82\0\0\0\0hi",
];

const PING: &[u8] = b"\x89\x84\0\0\0\0urna";
const PONG: &[u8] = b"\x8a\x04urna";

/// What a viewer may say at most, in one message.
const MAX: usize = 1024;

/// What a ping, a pong or a farewell may hold at most.
const CONTROL_MAX: usize = 125;

#[tokio::test]
async fn a_viewer_who_breaks_the_protocol_is_let_go_and_an_odd_one_stays() {
    let mut election = Election::open().await;
    let address = election.result.url.trim_start_matches("http://").to_owned();
    for (name, value, status) in HANDSHAKES {
        assert_greeted(&address, &hello("GET /ws HTTP/1.1", name, value), status).await;
    }
    for (line, status) in LINES {
        assert_greeted(&address, &hello(line, "", ""), status).await;
    }
    for frames in wrong() {
        let mut viewer = Viewer::join(&address).await;
        viewer.says(&frames).await;
        viewer.is_let_go(&frames).await;
    }
    for frames in odd() {
        let mut viewer = Viewer::join(&address).await;
        viewer.says(&[&frames, PING].concat()).await;
        viewer.hears_pong(&frames).await;
    }
    let whole = frame(0x81, b"hello");
    for length in 0..whole.len() {
        let mut viewer = Viewer::join(&address).await;
        viewer.says(&whole[..length]).await;
        viewer.0.shutdown().await.unwrap();
        viewer.is_let_go(&whole[..length]).await;
    }
    election.tried(HANDSHAKES.len() + LINES.len() + wrong().len() + odd().len() + whole.len());
    election.close(SOCKETS).await;
}

fn wrong() -> Vec<Vec<u8>> {
    let reserved_kinds = (3..=7).chain(11..=15).map(|kind| 0x80 | kind);
    let reserved_bits = (1..=7).map(|bits| 0x81 | bits << 4);
    let reserved = reserved_kinds.chain(reserved_bits).map(|first| frame(first, b""));
    let too_long = [
        frame(0x88, &[b'x'; CONTROL_MAX + 1]),
        frame(0x89, &[b'x'; CONTROL_MAX + 1]),
        frame(0x8a, &[b'x'; CONTROL_MAX + 1]),
        frame(0x81, &[b'x'; MAX + 1]),
        [frame(0x01, &[b'x'; MAX]), frame(0x80, b"x")].concat(),
        [frame(0x02, b""), frame(0x00, &[b'x'; 1]).repeat(MAX + 1)].concat(),
    ];
    WRONG.iter().map(|frames| frames.to_vec()).chain(reserved).chain(too_long).collect()
}

fn odd() -> Vec<Vec<u8>> {
    let as_much_as_may_be = [
        frame(0x81, &[b'x'; MAX]),
        [frame(0x01, &[b'x'; MAX / 2]), frame(0x80, &[b'x'; MAX / 2])].concat(),
        frame(0x81, b"x").repeat(5_000),
        frame(0x89, &[b'x'; CONTROL_MAX]),
        frame(0x89, b"").repeat(5_000),
    ];
    ODD.iter().map(|frames| frames.to_vec()).chain(as_much_as_may_be).collect()
}

/// A frame with this first byte, under a mask that changes nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = match payload.len() {
        short @ ..126 => vec![0x80 | short as u8],
        long => [&[0xfe], &(long as u16).to_be_bytes()[..]].concat(),
    };
    [&[first], &length[..], &[0; 4], payload].concat()
}

/// A handshake but for one header.
fn hello(line: &str, name: &str, value: &str) -> String {
    let added = (!HELLO.iter().any(|(usual, _)| *usual == name) && !name.is_empty()).then_some((name, value));
    let lines = HELLO.map(|(usual, kept)| (usual, if usual == name { value } else { kept }));
    let lines = lines.into_iter().chain(added).filter(|(_, value)| !value.is_empty());
    let lines: String = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line}\r\n{lines}\r\n")
}

async fn assert_greeted(address: &str, hello: &str, status: u16) {
    let (_, head) = greet(address, hello).await;
    assert!(head.contains(&format!(" {status} ")), "{head}\nshould say {status} to\n{hello}");
}

/// Opens a connection with these words, and returns it with the head of the answer.
async fn greet(address: &str, hello: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(hello.as_bytes()).await.unwrap();
    let head = read_until(&mut stream, b"\r\n\r\n").await;
    (stream, String::from_utf8_lossy(&head).into_owned())
}

struct Viewer(TcpStream);

impl Viewer {
    async fn join(address: &str) -> Self {
        let (stream, head) = greet(address, &hello("GET /ws HTTP/1.1", "", "")).await;
        assert!(head.contains(" 101 "), "{head}");
        Self(stream)
    }

    async fn says(&mut self, frames: &[u8]) {
        // Who is let go need not have said everything.
        let _ = self.0.write_all(frames).await;
    }

    async fn is_let_go(&mut self, frames: &[u8]) {
        let ended = timeout(PATIENCE, self.0.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "still connected after {:02x?}", &frames[..frames.len().min(40)]);
    }

    async fn hears_pong(&mut self, frames: &[u8]) {
        let heard = read_until(&mut self.0, PONG).await;
        assert!(heard.ends_with(PONG), "no pong after {:02x?}", &frames[..frames.len().min(40)]);
    }
}

/// What comes up to these bytes, or to the end if they do not come.
async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut heard = Vec::new();
    let reading = async {
        while !heard.ends_with(end) {
            match stream.read_u8().await {
                Ok(byte) => heard.push(byte),
                Err(_) => return,
            }
        }
    };
    let _ = timeout(PATIENCE, reading).await;
    heard
}
