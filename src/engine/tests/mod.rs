//! Tests of the engine: a plan, a script of what the world answers, and the log that has to come of it.

mod agenda;
mod ahead;
mod arithmetic;
mod baselines;
mod bench;
mod build;
mod comparing;
mod counting;
mod evidence;
mod flow;
mod freezes;
mod holds;
mod judged;
mod pauses;
mod people;
mod policies;
mod preparing;
mod random;
mod rollbacks;
mod scopes;
mod telling;
mod vectors;
mod views;
mod watches;
mod writes;
