//! A simulated world behind the trait of the real providers, so that one contract suite runs on both.
//!
//! Its time is virtual: it goes on by what each request takes, and by [`Twin::wait`].

use crate::effects::provider::Provider;
use crate::providers::request::{Request, Response};
use crate::simulate::world::World;
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One world; every clone is the same one.
#[derive(Clone, Debug)]
pub struct Twin {
    world: Arc<Mutex<World>>,
}

impl Twin {
    pub fn new(world: World) -> Twin {
        Twin {
            world: Arc::new(Mutex::new(world)),
        }
    }

    /// To look at the world, or to do to it what other people do.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets virtual time pass.
    pub fn wait(&self, ns: i64) {
        let mut world = self.world();
        let until = world.now.plus(ns);
        while world.now < until {
            world.advance(until);
        }
    }
}

/// Longer than any of the simulated controllers takes; what is not answered by then never is.
const PATIENCE_NS: i64 = 600_000_000_000;

#[async_trait]
impl Provider for Twin {
    async fn answer(&self, request: Request) -> Response {
        let answered = {
            let mut world = self.world();
            let now = world.now;
            world.answer_within(now, &request, PATIENCE_NS)
        };
        match answered {
            Some((response, _)) => response,
            // As a real one that waits: the caller has the time limit.
            None => std::future::pending().await,
        }
    }
}
