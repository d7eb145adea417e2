use std::net::SocketAddr;

use domain::secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::{AllowList, OwnPlaces};

/// What a server does with a connection after it has read the request's head.
#[derive(Clone, Copy)]
enum Does {
    /// Writes this and closes.
    Writes(&'static [u8]),
    /// Writes this and stays.
    WritesAndHangs(&'static [u8]),
    /// Writes this, then the other over and over.
    Repeats(&'static [u8], &'static [u8]),
    /// Resets the connection.
    Resets,
}

async fn act(does: Does, socket: &mut TcpStream) -> std::io::Result<()> {
    match does {
        Does::Writes(bytes) => socket.write_all(bytes).await?,
        Does::WritesAndHangs(bytes) => {
            socket.write_all(bytes).await?;
            std::future::pending::<()>().await;
        }
        Does::Repeats(head, more) => {
            socket.write_all(head).await?;
            while socket.write_all(more).await.is_ok() {}
        }
        Does::Resets => socket.set_zero_linger()?,
    }
    Ok(())
}

/// A server that always does the same; its address.
async fn server(does: Does) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let read = socket.read(&mut [0; 4096]).await?;
                assert!(read > 0);
                act(does, &mut socket).await
            });
        }
    });
    address
}

fn client() -> Client {
    let bounds = Bounds { connect: Duration::from_secs(1), idle: Duration::from_millis(100), body: 64 << 10 };
    Client::bounded(AddressPolicy::endpoints(), bounds).unwrap()
}

async fn get(does: Does) -> Result<Response, Error> {
    let url = format!("http://{}/", server(does).await);
    client().send(Request::get(&url).timeout(Duration::from_millis(400))).await
}

#[tokio::test]
async fn answers_of_any_status_come_back_whole() {
    const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhi";
    const MOVED: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    const CHUNKED: &[u8] = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    const UNTIL_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nhi";
    for (bytes, status, body) in
        [(PLAIN, 200, "hi"), (MOVED, 302, ""), (CHUNKED, 500, "hi"), (UNTIL_CLOSE, 200, "hi")]
    {
        let answer = get(Does::Writes(bytes)).await.unwrap();
        assert_eq!((answer.status(), answer.body()), (status, body.as_bytes()));
    }
    let answer = get(Does::Writes(PLAIN)).await.unwrap();
    assert_eq!((answer.header("x-a"), answer.header("x-b")), (Some("b"), None));
}

#[tokio::test]
async fn what_breaks_is_told_apart() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi";
    const CHUNK: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhi";
    const GZIP: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi";
    for (does, expected) in [
        (Does::Resets, "Connect"),
        (Does::Writes(b""), "Connect"),
        (Does::Writes(HEAD), "Broken"),
        (Does::Writes(CHUNK), "Broken"),
        (Does::Writes(GZIP), "Broken"),
        (Does::Writes(b"SSH-2.0-OpenSSH\r\n\r\n"), "BadHttp"),
        (Does::Repeats(b"HTTP/1.1 200 OK\r\nX-Long: ", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "BadHttp"),
        (Does::WritesAndHangs(b""), "Timeout"),
        (Does::WritesAndHangs(HEAD), "Timeout"),
    ] {
        let error = format!("{:?}", get(does).await.unwrap_err());
        assert!(error.starts_with(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn endless_bodies_are_cut() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(get(Does::Repeats(HEAD, &[b'a'; 4096])).await.unwrap_err(), Error::TooLarge(64 << 10));
}

#[tokio::test]
async fn compressed_bodies_are_cut_after_decompression() {
    /// 1 MiB of zeros.
    const BOMB: &[u8] = include_bytes!("bomb.http");
    assert_eq!(get(Does::Writes(BOMB)).await.unwrap_err(), Error::TooLarge(64 << 10));
}

#[tokio::test]
async fn nothing_is_sent_where_nothing_may_be() {
    let nowhere = Secret::new("line\nbreak");
    for (url, key, refusal) in [
        ("nonsense", None, RequestRefusal::NotAUrl),
        ("gopher://127.0.0.1/", None, RequestRefusal::Scheme),
        ("http://user:pass@127.0.0.1/", None, RequestRefusal::UserInfo),
        ("http://169.254.169.254/", None, RequestRefusal::Address),
        ("http://127.0.0.1/", Some(&nowhere), RequestRefusal::Key),
    ] {
        let error = client().send(Request::get(url).bearer(key)).await.unwrap_err();
        assert_eq!(error, Error::Refused(refusal), "{url}");
    }
}

#[tokio::test]
async fn headers_take_the_place_of_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let read = socket.read(&mut head).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&head[..read]).to_lowercase()
    });
    let key = Secret::new("sk-1");
    let headers = [("Authorization", "Basic abc"), ("X-Org", "mine")];
    let headers = headers.map(|(name, value)| (name.to_owned(), Secret::new(value))).into();
    let request = Request::get(&url).bearer(Some(&key)).headers(Some(&headers));
    assert_eq!(client().send(request).await.unwrap().status(), 200);
    let head = heard.await.unwrap();
    assert!(head.contains("authorization: basic abc\r\n") && head.contains("x-org: mine\r\n"), "{head}");
    assert!(!head.contains("sk-1"), "{head}");
    for (name, value) in [("X Org", "mine"), ("X-Org", "two\nlines")] {
        let headers = [(name.to_owned(), Secret::new(value))].into();
        let error = client().send(Request::get(&url).headers(Some(&headers))).await.unwrap_err();
        assert_eq!(error, Error::Refused(RequestRefusal::Header), "{name}");
    }
}

#[tokio::test]
async fn names_are_judged_by_the_addresses_behind_them() {
    let address = server(Does::Writes(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let url = format!("http://localhost:{}/", address.port());
    assert_eq!(client().send(Request::get(&url)).await.unwrap().status(), 200);
    let own = OwnPlaces::default().with_listener(address);
    let listed = || AddressPolicy::services(AllowList::parse("localhost").unwrap());
    for (policy, refused) in [
        (AddressPolicy::services(AllowList::default()), Some(RequestRefusal::Private)),
        (listed(), None),
        (listed().keeping_out_of(own.clone()), Some(RequestRefusal::Own)),
        (AddressPolicy::endpoints().keeping_out_of(own), Some(RequestRefusal::Own)),
    ] {
        let sent = Client::new(policy).unwrap().send(Request::get(&url)).await;
        assert_eq!(sent.map(drop), refused.map_or(Ok(()), |refusal| Err(Error::Refused(refusal))));
    }
}

#[tokio::test]
async fn a_closed_port_is_no_connection_and_no_message_holds_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
    drop(listener);
    let error = client().send(Request::get(&url)).await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
    assert!(!error.to_string().contains("secret-path"), "{error}");
}
