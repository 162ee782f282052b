//! Where a server listens and a client connects: `HOST:PORT` or `unix:PATH`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Pause after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// A byte stream both ways.
pub trait Duplex: AsyncRead + AsyncWrite {}
impl<S: AsyncRead + AsyncWrite> Duplex for S {}

/// A byte stream of either kind.
pub type Stream = Pin<Box<dyn Duplex>>;

/// Makes streams to a USB/IP server.
#[expect(
    async_fn_in_trait,
    reason = "used generically on one thread; futures need not be Send"
)]
pub trait Connect {
    /// What connecting gives.
    type Stream: AsyncRead + AsyncWrite + Unpin + 'static;
    /// A new stream to the server.
    async fn connect(&self) -> io::Result<Self::Stream>;
}

/// A socket address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP; only loopback is sensible, the protocol has no authentication.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// Not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address: use IP:PORT or unix:PATH")]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix("unix:") {
            Some("") => Err(AddressError),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| AddressError),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Connect for Address {
    type Stream = Stream;

    async fn connect(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::pin(stream)
            }
            Self::Unix(path) => Box::pin(UnixStream::connect(path).await?),
        })
    }
}

/// A listening socket of either kind.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket; its file stays when the listener goes.
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Listens at `address`; port 0 takes a free one. A Unix socket left by a dead
    /// process is replaced; one that still answers and any other file are not.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => Ok(Self::Tcp(TcpListener::bind(address).await?)),
            Address::Unix(path) => {
                let left = std::fs::symlink_metadata(path);
                let is_socket = left.is_ok_and(|file| file.file_type().is_socket());
                let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
                if is_socket && UnixStream::connect(path).await.is_err_and(refused) {
                    std::fs::remove_file(path)?;
                }
                Ok(Self::Unix(UnixListener::bind(path)?, path.clone()))
            }
        }
    }

    /// Where it really listens.
    pub fn address(&self) -> io::Result<Address> {
        Ok(match self {
            Self::Tcp(listener) => Address::Tcp(listener.local_addr()?),
            Self::Unix(_, path) => Address::Unix(path.clone()),
        })
    }

    /// The next connection, however often accepting fails: a system that is out of
    /// file descriptors has some again when another connection ends.
    pub(super) async fn next(&self) -> Stream {
        loop {
            match self.accept().await {
                Ok(stream) => return stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    /// The next connection.
    pub async fn accept(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Box::pin(stream)
            }
            Self::Unix(listener, _) => Box::pin(listener.accept().await?.0),
        })
    }
}
