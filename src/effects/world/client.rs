//! The providers of a plan, all of them in a simulated world that listens somewhere.

use crate::effects::provider::Provider;
use crate::effects::registry::Providers;
use crate::plan::Plan;
use crate::providers::request::{Failure, FailureKind, Observation, Outcome, Request, Response};
use async_trait::async_trait;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Nothing that the plan names is asked: every provider is the world at `address`.
pub fn providers(plan: &Plan, address: SocketAddr) -> Providers {
    let world: Arc<dyn Provider> = Arc::new(Remote { address });
    let names = plan.providers.iter().map(|provider| provider.name.clone());
    names.map(|name| (name, Arc::clone(&world))).collect()
}

struct Remote {
    address: SocketAddr,
}

#[async_trait]
impl Provider for Remote {
    async fn answer(&self, request: Request) -> Response {
        let unreachable = |why: std::io::Error| {
            let message = format!(
                "no answer from the simulated world at {}: {why}",
                self.address
            );
            Failure::new(FailureKind::Unreachable, message)
        };
        match TcpStream::connect(self.address).await {
            Err(why) => lost(&request, unreachable(why), Outcome::NotApplied),
            Ok(stream) => match exchange(stream, &request).await {
                Ok(response) => response,
                Err(why) => lost(&request, unreachable(why), Outcome::Unknown),
            },
        }
    }
}

async fn exchange(mut stream: TcpStream, request: &Request) -> std::io::Result<Response> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}

/// The failure in the shape of the request's response; what it means for a change depends on whether it was sent.
fn lost(request: &Request, failure: Failure, change: fn(Failure) -> Outcome) -> Response {
    match request {
        Request::Read { .. } => Response::Read(Err(failure)),
        Request::Prepare { .. } => Response::Prepared(Err(failure)),
        Request::Commit { .. } => Response::Committed(change(failure)),
        Request::Observe { .. } => Response::Observed(Observation::Unknown(failure)),
        Request::Tell { .. } => Response::Told(Err(failure)),
    }
}
