//! SIGINT and SIGTERM as a stream.

/// What the operating system asks of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C: the first one is a journalled abort, a second one ends the process.
    Interrupt,
    /// Ends the process; the run stays, and `resume` goes on.
    Terminate,
}

#[cfg(unix)]
mod unix {
    use super::Signal;
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    pub struct Signals {
        interrupt: Stream,
        terminate: Stream,
    }

    impl Signals {
        pub fn listen() -> std::io::Result<Signals> {
            Ok(Signals {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        pub async fn next(&mut self) -> Signal {
            tokio::select! {
                Some(()) = self.interrupt.recv() => Signal::Interrupt,
                Some(()) = self.terminate.recv() => Signal::Terminate,
                else => std::future::pending().await,
            }
        }
    }
}

#[cfg(not(unix))]
mod portable {
    use super::Signal;

    pub struct Signals;

    impl Signals {
        pub fn listen() -> std::io::Result<Signals> {
            Ok(Signals)
        }

        pub async fn next(&mut self) -> Signal {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::Interrupt,
                Err(_) => std::future::pending().await,
            }
        }
    }
}

#[cfg(not(unix))]
pub use portable::Signals;
#[cfg(unix)]
pub use unix::Signals;
