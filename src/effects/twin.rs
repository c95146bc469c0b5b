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

#[async_trait]
impl Provider for Twin {
    async fn answer(&self, request: Request) -> Response {
        let mut world = self.world();
        let now = world.now;
        world.answer(now, &request).0
    }
}
