//! The network between kiosk and backend: a relay that can be cut.
//!
//! The kiosk keeps one address while the backend comes and goes at others. A cut
//! breaks every connection, also between a request and its answer.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One end leads to the kiosk, the other to wherever the backend is.
pub struct Cable {
    near: SocketAddr,
    far: Rc<Cell<Option<SocketAddr>>>,
    cut: watch::Sender<bool>,
}

impl Cable {
    /// A whole cable that leads nowhere yet. Must run in a `LocalSet`.
    pub async fn lay() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let near = listener.local_addr()?;
        let far: Rc<Cell<Option<SocketAddr>>> = Rc::default();
        let (cut, watching) = watch::channel(false);
        let leads_to = Rc::clone(&far);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(carry(stream, leads_to.get(), watching.clone()));
                if watching.has_changed().is_err() {
                    return;
                }
            }
        });
        Ok(Self { near, far, cut })
    }

    /// Where the kiosk dials.
    pub fn near(&self) -> SocketAddr {
        self.near
    }

    /// Where the backend is now.
    pub fn far(&self) -> Rc<Cell<Option<SocketAddr>>> {
        Rc::clone(&self.far)
    }

    /// Cuts or mends it.
    pub fn set_cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}

async fn carry(mut near: TcpStream, far: Option<SocketAddr>, mut cut: watch::Receiver<bool>) {
    let Some(far) = far.filter(|_| !*cut.borrow()) else {
        return;
    };
    let Ok(mut far) = TcpStream::connect(far).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = cut.wait_for(|cut| *cut) => {}
    }
}
