//! A network between the program and PostgreSQL that fails in the ways in which networks fail.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running proxy; it stops when this is dropped.
pub struct Proxy {
    address: SocketAddr,
    faults: Arc<Faults>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Faults {
    /// One COMMIT of this many is cut off; 0 for none.
    cut_every: AtomicU64,
    commits: AtomicU64,
    cut: AtomicU64,
    swallowing: AtomicBool,
}

impl Proxy {
    /// Starts a proxy for a port on 127.0.0.1.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(to: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let faults = Arc::new(Faults::default());
        let accepting = tokio::spawn(accept(listener, to, Arc::clone(&faults)));
        Ok(Self { address, faults, accepting })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on, cuts the connection of one COMMIT in this many: alternately before the COMMIT reaches the server,
    /// and after it but before its answer.
    pub fn cut_commits(&self, one_of: u64) {
        self.faults.cut_every.store(one_of, Ordering::SeqCst);
    }

    /// How many COMMITs were cut off.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.faults.cut.load(Ordering::SeqCst)
    }

    /// Drops all data without a message, or forwards it again. Connections on which data was dropped do not recover.
    pub fn swallow(&self, swallowing: bool) {
        self.faults.swallowing.store(swallowing, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, to: u16, faults: Arc<Faults>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let faults = Arc::clone(&faults);
        tokio::spawn(async move {
            if let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await {
                // Cut connections are intended.
                drop(relay(client, server, &faults).await);
            }
        });
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, faults: &Faults) -> io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let asked = &asked[..read?];
                if asked.is_empty() {
                    return Ok(());
                }
                swallow(faults).await;
                if let Some(cut) = cut(asked, faults) {
                    if cut == Cut::AfterIt {
                        server.write_all(asked).await?;
                        // The server has received it and executes it.
                        drop(server.read(&mut answered).await);
                    }
                    return Ok(());
                }
                server.write_all(asked).await?;
            }
            read = server.read(&mut answered) => {
                let answered = &answered[..read?];
                if answered.is_empty() {
                    return Ok(());
                }
                swallow(faults).await;
                client.write_all(answered).await?;
            }
        }
    }
}

/// A connection on which data was dropped stays silent, as after a firewall has forgotten it.
async fn swallow(faults: &Faults) {
    if faults.swallowing.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
}

#[derive(PartialEq, Eq)]
enum Cut {
    BeforeIt,
    AfterIt,
}

fn cut(asked: &[u8], faults: &Faults) -> Option<Cut> {
    let every = faults.cut_every.load(Ordering::SeqCst);
    if every == 0 || !asked.windows(6).any(|word| word == b"COMMIT") {
        return None;
    }
    if faults.commits.fetch_add(1, Ordering::SeqCst) % every != every - 1 {
        return None;
    }
    let cuts = faults.cut.fetch_add(1, Ordering::SeqCst);
    Some(if cuts.is_multiple_of(3) { Cut::BeforeIt } else { Cut::AfterIt })
}
