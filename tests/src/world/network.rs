//! The cable between kiosk or station and the backend: in memory or loopback
//! TCP, and it can be cut.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use counterfoil_backend::service::bell::Bell;
use counterfoil_tui::link::Dial;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::net::TcpStream;

use super::house::Serving;

/// Bytes on the way in one direction at most.
const CABLE_BYTES: usize = 64 * 1024;

/// Where the cable ends.
#[derive(Clone)]
pub enum Far {
    /// No backend is running.
    Nobody,
    /// In this process, in memory.
    Service(Rc<Serving>),
    /// On loopback.
    Tcp(String),
}

/// The network of one branch.
#[derive(Clone)]
pub struct Network {
    cut: Rc<Cell<bool>>,
    /// Rings when it is cut; every stream on it breaks.
    broken: Bell,
    far: Rc<RefCell<Far>>,
    /// How long every piece is on the way, in each direction.
    slow: Rc<Cell<Duration>>,
}

impl Network {
    /// A whole cable that ends nowhere yet.
    pub fn new() -> Self {
        Self {
            cut: Rc::default(),
            broken: Bell::default(),
            far: Rc::new(RefCell::new(Far::Nobody)),
            slow: Rc::default(),
        }
    }

    /// Plugs the far end.
    pub fn lead_to(&self, far: Far) {
        *self.far.borrow_mut() = far;
    }

    /// Cuts the cable (every stream on it breaks) or mends it.
    pub fn set_cut(&self, cut: bool) {
        let was = self.cut.replace(cut);
        if cut && !was {
            self.broken.ring();
        }
    }

    /// How long a piece is on its way from now on, for connections made from now on:
    /// the time in which something can happen between a request and its answer.
    pub fn set_slow(&self, each_way: Duration) {
        self.slow.set(each_way);
    }

    /// Whether it is cut.
    pub fn is_cut(&self) -> bool {
        self.cut.get()
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Dial for Network {
    type Stream = Cable;

    async fn dial(&self) -> io::Result<Cable> {
        if self.is_cut() {
            return Err(io::ErrorKind::NetworkUnreachable.into());
        }
        let far = self.far.borrow().clone();
        let end = match far {
            Far::Nobody => return Err(io::ErrorKind::ConnectionRefused.into()),
            Far::Service(serving) => {
                let (near, end) = tokio::io::duplex(CABLE_BYTES);
                match self.slow.get() {
                    Duration::ZERO => serving.serve(end),
                    each_way => serving.serve(long_way(end, each_way)),
                }
                End::Memory(near)
            }
            Far::Tcp(address) => End::Tcp(TcpStream::connect(address).await?),
        };
        let mut ear = self.broken.listen();
        let broken = Box::pin(async move { ear.rung().await });
        Ok(Cable {
            end,
            broken,
            is_broken: false,
        })
    }
}

/// The far end of a long cable that ends at `near`.
fn long_way(near: DuplexStream, each_way: Duration) -> DuplexStream {
    let (mine, far) = tokio::io::duplex(CABLE_BYTES);
    let (near_in, near_out) = tokio::io::split(near);
    let (far_in, far_out) = tokio::io::split(mine);
    tokio::task::spawn_local(carry(near_in, far_out, each_way));
    tokio::task::spawn_local(carry(far_in, near_out, each_way));
    far
}

async fn carry<R, W>(mut from: R, mut to: W, each_way: Duration)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut piece = vec![0_u8; CABLE_BYTES];
    while let Ok(count) = from.read(&mut piece).await {
        tokio::time::sleep(each_way).await;
        let whole = piece.get(..count).unwrap_or_default();
        if count == 0 || to.write_all(whole).await.is_err() {
            break;
        }
    }
    // What the other side still has to say comes all the same.
    let _ = to.shutdown().await;
}

enum End {
    Memory(DuplexStream),
    Tcp(TcpStream),
}

/// One stream over the cable; breaks for good when the cable is cut.
pub struct Cable {
    end: End,
    broken: Pin<Box<dyn Future<Output = ()>>>,
    is_broken: bool,
}

impl Cable {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if !self.is_broken && self.broken.as_mut().poll(context).is_ready() {
            self.is_broken = true;
        }
        if self.is_broken {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for Cable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        match &mut self.end {
            End::Memory(end) => Pin::new(end).poll_read(context, buffer),
            End::Tcp(end) => Pin::new(end).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Cable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        match &mut self.end {
            End::Memory(end) => Pin::new(end).poll_write(context, bytes),
            End::Tcp(end) => Pin::new(end).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        match &mut self.end {
            End::Memory(end) => Pin::new(end).poll_flush(context),
            End::Tcp(end) => Pin::new(end).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.end {
            End::Memory(end) => Pin::new(end).poll_shutdown(context),
            End::Tcp(end) => Pin::new(end).poll_shutdown(context),
        }
    }
}
