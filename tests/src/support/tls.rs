//! A TLS terminator in front of a server, with a certificate from its own authority.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A running TLS terminator. It stops when this is dropped.
pub struct TlsFront {
    address: SocketAddr,
    authority: String,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    /// TLS for a server at a port on 127.0.0.1, under the name `localhost`.
    ///
    /// # Errors
    /// Where no certificate or no port can be had.
    pub async fn start(to: u16) -> io::Result<Self> {
        let (authority, config) = certified().map_err(io::Error::other)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(config)), to));
        Ok(Self { address, authority, accepting })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificate of its authority, as PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn certified() -> Result<(String, ServerConfig), Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let own = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let config = ServerConfig::builder().with_no_client_auth();
    Ok((authority.pem(), config.with_single_cert(vec![own.der().clone()], key)?))
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, to: u16) {
    while let Ok((socket, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            // A client that does not trust the certificate closes the connection.
            let Ok(mut outer) = tls.accept(socket).await else { return };
            let Ok(mut inner) = TcpStream::connect(("127.0.0.1", to)).await else { return };
            drop(tokio::io::copy_bidirectional(&mut outer, &mut inner).await);
        });
    }
}
