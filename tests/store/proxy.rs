//! What stands between the program and the database and loses what it is told to lose.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

/// What is lost next; the connection goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Loss {
    None = 0,
    /// It never arrives.
    Question = 1,
    /// It arrives and is carried out, and its answer is lost.
    Answer = 2,
}

pub struct Proxy {
    pub port: u16,
    next: Arc<AtomicU8>,
}

impl Proxy {
    pub fn before(port: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let next = Arc::new(AtomicU8::new(0));
        let loss = Arc::clone(&next);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                join(client, server, &loss);
            }
        });
        Proxy { port: own, next }
    }

    pub fn lose(&self, loss: Loss) {
        self.next.store(loss as u8, Ordering::SeqCst);
    }

    pub fn is_armed(&self) -> bool {
        self.next.load(Ordering::SeqCst) != 0
    }
}

fn join(client: TcpStream, server: TcpStream, next: &Arc<AtomicU8>) {
    let ends = [
        (&client, &server, Loss::Question),
        (&server, &client, Loss::Answer),
    ];
    for (from, to, loss) in ends {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let next = Arc::clone(next);
        thread::spawn(move || {
            let mut bytes = [0; 64 << 10];
            while let Ok(length @ 1..) = from.read(&mut bytes) {
                let lost = next.compare_exchange(loss as u8, 0, Ordering::SeqCst, Ordering::SeqCst);
                if lost.is_ok() || to.write_all(&bytes[..length]).is_err() {
                    break;
                }
            }
            from.shutdown(Shutdown::Both).ok();
            to.shutdown(Shutdown::Both).ok();
        });
    }
}
