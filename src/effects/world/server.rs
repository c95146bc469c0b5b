//! A simulated world that listens: real requests in, real time passing, a number of times as fast.

use crate::providers::request::{FailureKind, Request, Response};
use crate::simulate::world::{Ticket, World};
use crate::values::Instant;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};

/// Sees what happens in the world, and may change what happens next. While it looks, the world stands still.
pub trait Witness: Send + 'static {
    /// A request has come; it is begun after this.
    fn arrived(&mut self, world: &mut World, ticket: Ticket, request: &Request);
    /// Its answer leaves after this.
    fn answered(&mut self, world: &mut World, ticket: Ticket, response: &Response);
    /// Whoever sent it went away before the answer.
    fn gave_up(&mut self, ticket: Ticket);
    /// Something may have happened.
    fn passed(&mut self, world: &mut World);
}

/// Every clone is the same one. It ends with the runtime that it was started in.
pub struct Server<W> {
    pub address: SocketAddr,
    stage: Arc<Mutex<Stage<W>>>,
    pace: Pace,
    nudge: Arc<Notify>,
    /// How many connections are open.
    open: Arc<watch::Sender<usize>>,
}

/// The world and who looks at it, under one lock.
pub struct Stage<W> {
    pub world: World,
    pub witness: W,
    waiting: BTreeMap<Ticket, oneshot::Sender<Response>>,
    tickets: u64,
}

/// Time in the world: so many times as fast as outside.
#[derive(Clone, Copy)]
struct Pace {
    began: tokio::time::Instant,
    at: Instant,
    speed: u32,
}

impl<W> Clone for Server<W> {
    fn clone(&self) -> Server<W> {
        Server {
            address: self.address,
            stage: Arc::clone(&self.stage),
            pace: self.pace,
            nudge: Arc::clone(&self.nudge),
            open: Arc::clone(&self.open),
        }
    }
}

impl<W: Witness> Server<W> {
    /// Listens on a free port of this machine alone.
    pub async fn start(world: World, speed: u32, witness: W) -> std::io::Result<Server<W>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let pace = Pace {
            began: tokio::time::Instant::now(),
            at: world.now,
            speed: speed.max(1),
        };
        let stage = Stage {
            world,
            witness,
            waiting: BTreeMap::new(),
            tickets: 0,
        };
        let server = Server {
            address: listener.local_addr()?,
            stage: Arc::new(Mutex::new(stage)),
            pace,
            nudge: Arc::default(),
            open: Arc::new(watch::Sender::new(0)),
        };
        tokio::spawn(server.clone().pass_time());
        tokio::spawn(server.clone().accept(listener));
        Ok(server)
    }

    /// To look at the world, which stands still meanwhile.
    pub fn stage(&self) -> MutexGuard<'_, Stage<W>> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when everything that was sent before has come in and is answered or given up, as after the end of a process.
    pub async fn drained(&self) -> std::io::Result<()> {
        // Connections are accepted in their order: once this one is, all before it were.
        let mut last = TcpStream::connect(self.address).await?;
        last.shutdown().await?;
        last.read_to_end(&mut Vec::new()).await?;
        // The sender lives as long as this server.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
        Ok(())
    }

    async fn pass_time(self) {
        loop {
            let next = {
                let mut stage = self.stage();
                stage.pass(self.pace.now());
                stage.world.next_at()
            };
            let wait = next.map_or(Duration::MAX, |at| self.pace.until(at));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.nudge.notified() => {}
            }
        }
    }

    async fn accept(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            self.open.send_modify(|open| *open += 1);
            let server = self.clone();
            tokio::spawn(async move {
                server.serve(stream).await;
                server.open.send_modify(|open| *open -= 1);
            });
        }
    }

    async fn serve(&self, stream: TcpStream) {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let mut line = String::new();
        let whole = reader.read_line(&mut line).await;
        let request = whole.ok().and_then(|_| serde_json::from_str(&line).ok());
        let Some(request) = request else {
            return;
        };
        let (ticket, answer) = self.stage().begin(self.pace.now(), request);
        self.nudge.notify_one();
        tokio::select! {
            Ok(response) = answer => {
                if let Ok(mut line) = serde_json::to_vec(&response) {
                    line.push(b'\n');
                    // Whoever has gone meanwhile does not need it.
                    let _ = writer.write_all(&line).await;
                }
            }
            () = gone(reader) => self.stage().give_up(ticket),
        }
    }
}

impl<W: Witness> Stage<W> {
    fn begin(&mut self, now: Instant, request: Request) -> (Ticket, oneshot::Receiver<Response>) {
        self.pass(now);
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let (sender, receiver) = oneshot::channel();
        self.witness.arrived(&mut self.world, ticket, &request);
        self.waiting.insert(ticket, sender);
        self.world.begin(ticket, request);
        self.witness.passed(&mut self.world);
        (ticket, receiver)
    }

    /// Step by step, so that the witness sees each.
    fn pass(&mut self, now: Instant) {
        loop {
            let next = self.world.next_at();
            let to = next.map_or(now, |at| at.clamp(self.world.now, now.max(self.world.now)));
            let answer = self.world.advance(to);
            self.witness.passed(&mut self.world);
            let Some((ticket, response)) = answer else {
                if self.world.now >= now {
                    return;
                }
                continue;
            };
            if let Some(sender) = self.waiting.remove(&ticket) {
                self.witness.answered(&mut self.world, ticket, &response);
                // The receiver is gone only when the connection is.
                let _ = sender.send(response);
            }
        }
    }

    fn give_up(&mut self, ticket: Ticket) {
        self.world.cancel(ticket, FailureKind::Cancelled);
        self.waiting.remove(&ticket);
        self.witness.gave_up(ticket);
    }
}

impl Pace {
    fn now(self) -> Instant {
        let elapsed = self.began.elapsed().saturating_mul(self.speed);
        let ns = i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX);
        self.at.plus(ns)
    }

    fn until(self, at: Instant) -> Duration {
        let ns = u64::try_from(at.since(self.now())).unwrap_or(0);
        Duration::from_nanos(ns) / self.speed
    }
}

/// Ends when the other side is gone; it has nothing more to say.
async fn gone(mut reader: impl AsyncReadExt + Unpin) {
    let mut byte = [0];
    while matches!(reader.read(&mut byte).await, Ok(read) if read > 0) {}
}
