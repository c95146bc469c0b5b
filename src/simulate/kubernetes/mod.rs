//! A simulated Kubernetes cluster: an API server, controllers that take time, and pods that start, fail and go.
//!
//! Nothing in it is random: names, uids and delays follow from what was done before.

pub mod change;
pub mod deployment;
pub mod field;
pub mod job;
pub mod object;
pub mod pod;
pub mod reads;
pub mod result;
pub mod rights;
pub mod schema;
pub mod store;
pub mod task;
pub mod undo;

use crate::simulate::chance::Chance;
use crate::simulate::history::What;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::object::{ApiError, Name};
use crate::simulate::kubernetes::pod::{Gate, Labels, Move, Phase, Pod};
use crate::simulate::kubernetes::store::{Force, How, Precondition, Store, Writer};
use crate::values::Instant;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One simulated cluster. Time passes in it by [`Cluster::advance`] only.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub store: Store,
    pub pods: BTreeMap<Name, Pod>,
    pub nodes: Vec<Node>,
    pub version: String,
    pub events: Vec<Event>,
    /// Images that no registry has.
    pub missing_images: BTreeSet<String>,
    /// Images whose containers run and never become ready.
    pub unready_images: BTreeSet<String>,
    pub now: Instant,
    /// Deployments that the controller is going to look at.
    due: BTreeMap<Name, Instant>,
    born: u64,
    /// How long pods take to become ready.
    pub chance: Chance,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    pub ready: bool,
}

/// An event of the cluster: `BackOff` on a pod.
#[derive(Clone, Debug)]
pub struct Event {
    pub at: Instant,
    pub object: Name,
    pub reason: &'static str,
    pub message: String,
}

const MS: i64 = 1_000_000;
/// From a change to the controller's look at it.
const NOTICE_NS: i64 = 50 * MS;
const SCHEDULE_NS: i64 = 100 * MS;
const PULL_NS: i64 = 400 * MS;
const START_NS: i64 = 500 * MS;
const READY_NS: i64 = 1_000 * MS;
const BACK_OFF_NS: i64 = 2_000 * MS;

impl Cluster {
    pub fn new(now: Instant) -> Cluster {
        let node = |n: u32| Node {
            name: format!("node-{n}"),
            ready: true,
        };
        Cluster {
            store: Store::default(),
            pods: BTreeMap::new(),
            nodes: (1..=3).map(node).collect(),
            version: "v1.34.4".to_owned(),
            events: Vec::new(),
            missing_images: BTreeSet::new(),
            unready_images: BTreeSet::new(),
            now,
            due: BTreeMap::new(),
            born: 0,
            chance: Chance::default(),
        }
    }

    pub fn apply(
        &mut self,
        by: &Writer,
        name: &Name,
        manifest: &Value,
        only_if: &Precondition,
        force: Force,
    ) -> Result<How, ApiError> {
        let how = self.store.apply(by, name, manifest, only_if, force)?;
        self.notice(name);
        Ok(how)
    }

    pub fn write(
        &mut self,
        by: &Writer,
        name: &Name,
        fields: &[(field::Path, Option<Value>)],
        only_if: &Precondition,
    ) -> Result<How, ApiError> {
        let how = self.store.write(by, name, fields, only_if)?;
        self.notice(name);
        Ok(how)
    }

    pub fn delete(&mut self, by: &Writer, name: &Name, uid: Option<&str>) -> Result<(), ApiError> {
        self.store.delete(by, name, uid)?;
        self.notice(name);
        Ok(())
    }

    /// Somebody takes a pod away; its Deployment makes another.
    pub fn delete_pod(&mut self, pod: &Name) {
        self.end_pod(pod);
    }

    /// Writes a condition into a pod's status, as a readiness gate asks for.
    pub fn set_gate(
        &mut self,
        by: &Writer,
        pod: &Name,
        gate: &str,
        to: Gate,
    ) -> Result<(), ApiError> {
        let found = self.pods.get_mut(pod);
        let found = found.ok_or_else(|| ApiError::not_found(pod))?;
        let before = found.ready();
        let Some(state) = found.gates.get_mut(gate) else {
            return Ok(());
        };
        *state = to;
        let by = by.clone();
        self.readiness_changed(&by, pod, before);
        Ok(())
    }

    /// The moment at which something happens next by itself.
    pub fn next_at(&self) -> Option<Instant> {
        let pods = self.pods.values().filter_map(|pod| Some(pod.next?.0));
        pods.chain(self.due.values().copied()).min()
    }

    /// Lets time pass up to and with `to`.
    pub fn advance(&mut self, to: Instant) {
        while let Some(at) = self.next_at().filter(|at| *at <= to) {
            self.now = at;
            let due = self.due.iter().find(|(_, when)| **when <= at);
            if let Some(name) = due.map(|(name, _)| name.clone()) {
                self.due.remove(&name);
                self.reconcile(&name);
                continue;
            }
            let moving = |pod: &&Pod| pod.next.is_some_and(|(when, _)| when <= at);
            if let Some(name) = self.pods.values().find(moving).map(|pod| pod.name.clone()) {
                self.carry_on(&name);
            }
        }
        self.now = self.now.max(to);
    }

    pub fn pods_of<'a>(&'a self, owner: &'a Name) -> impl Iterator<Item = &'a Pod> {
        self.pods.values().filter(move |pod| pod.owner == *owner)
    }

    /// The pods to which a Service sends traffic.
    pub fn endpoints(&self, service: &Name) -> Vec<&Pod> {
        let object = self.store.objects.get(service);
        let selector = pod::labels(object.and_then(|object| object.body.pointer("/spec/selector")));
        let pods = self.selected(&service.namespace, &selector);
        pods.into_iter().filter(|pod| pod.ready()).collect()
    }

    pub fn selected(&self, namespace: &str, selector: &Labels) -> Vec<&Pod> {
        let here = |pod: &&Pod| pod.name.namespace == namespace;
        let pods = self.pods.values().filter(here);
        pods.filter(|pod| pod::selects(selector, &pod.labels))
            .collect()
    }

    fn notice(&mut self, name: &Name) {
        if name.kind == "deployment" {
            let at = self.now.plus(NOTICE_NS);
            self.due.entry(name.clone()).or_insert(at);
        }
    }

    fn controller(&self, name: &str) -> Writer {
        Writer {
            at: self.now,
            manager: name.to_owned(),
            key: None,
        }
    }

    fn reconcile(&mut self, name: &Name) {
        let Some(object) = self.store.objects.get(name) else {
            let pods: Vec<Name> = self.pods_of(name).map(|pod| pod.name.clone()).collect();
            for pod in pods {
                self.end_pod(&pod);
            }
            return;
        };
        let wanted = Wanted::of(object);
        let pods: Vec<&Pod> = self.pods_of(name).collect();
        let moves = deployment::moves(&wanted, &pods);
        for _ in 0..moves.create {
            self.start_pod(name, &wanted);
        }
        for pod in &moves.delete {
            let pod = Name::new("pod", &name.namespace, pod);
            self.end_pod(&pod);
        }
        self.report(name, &wanted);
    }

    fn report(&mut self, name: &Name, wanted: &Wanted) {
        let Some(object) = self.store.objects.get(name) else {
            return;
        };
        let pods: Vec<&Pod> = self.pods_of(name).collect();
        let status = deployment::status(object, wanted, &pods);
        self.store.set_status(name, status);
    }

    fn start_pod(&mut self, owner: &Name, wanted: &Wanted) {
        self.born += 1;
        let template = &wanted.template;
        let tail = pod::suffix(self.born.wrapping_mul(0x9e37_79b9_7f4a_7c15), 5);
        let name = format!("{}-{}-{tail}", owner.name, template.hash);
        let name = Name::new("pod", &owner.namespace, &name);
        let mut labels = template.labels.clone();
        labels.insert("pod-template-hash".to_owned(), template.hash.clone());
        let pod = Pod {
            name: name.clone(),
            uid: self.store.fresh_uid(),
            labels,
            owner: owner.clone(),
            template_hash: template.hash.clone(),
            images: template.images.clone(),
            created: self.now,
            phase: Phase::Pending,
            waiting: None,
            containers_ready: false,
            gates: template
                .gates
                .iter()
                .map(|gate| (gate.clone(), Gate::Shut))
                .collect(),
            ready_since: None,
            restarts: 0,
            deleting: false,
            start_delay_ns: self.chance.vary(template.start_delay_ns + READY_NS),
            drain_ns: template.drain_ns,
            next: Some((self.now.plus(SCHEDULE_NS), Move::Schedule)),
        };
        self.pods.insert(name.clone(), pod);
        let by = self.controller("replicaset-controller");
        self.store.record(&by, &name, What::Created);
    }

    fn end_pod(&mut self, name: &Name) {
        let by = self.controller("replicaset-controller");
        let now = self.now;
        let Some(pod) = self.pods.get_mut(name).filter(|pod| !pod.deleting) else {
            return;
        };
        let before = pod.ready();
        pod.deleting = true;
        pod.next = Some((now.plus(pod.drain_ns), Move::Vanish));
        self.readiness_changed(&by, name, before);
    }

    /// One step in the life of a pod.
    fn carry_on(&mut self, name: &Name) {
        let now = self.now;
        let kubelet = self.controller("kubelet");
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let before = pod.ready();
        let step = pod.next.take().map(|(_, step)| step);
        let later = |ns: i64, step: Move| Some((now.plus(ns), step));
        match step {
            Some(Move::Schedule) => pod.next = later(PULL_NS, Move::Pull),
            Some(Move::Pull) => {
                match pod.images.iter().find(|i| self.missing_images.contains(*i)) {
                    None => pod.next = later(START_NS, Move::Start),
                    Some(image) => {
                        if pod.waiting.is_none() {
                            let message = format!("Back-off pulling image \"{image}\"");
                            self.events.push(event(
                                now,
                                name,
                                "Failed",
                                format!("Failed to pull image \"{image}\""),
                            ));
                            self.events.push(event(now, name, "BackOff", message));
                        }
                        pod.waiting = Some("ImagePullBackOff");
                        pod.next = later(BACK_OFF_NS, Move::Pull);
                    }
                }
            }
            Some(Move::Start) => {
                pod.phase = Phase::Running;
                pod.waiting = None;
                if !pod.images.iter().any(|i| self.unready_images.contains(i)) {
                    pod.next = later(pod.start_delay_ns, Move::BecomeReady);
                }
            }
            Some(Move::BecomeReady) => pod.containers_ready = true,
            Some(Move::Vanish) => {
                let owner = pod.owner.clone();
                self.pods.remove(name);
                self.store.record(&kubelet, name, What::Deleted);
                self.notice(&owner);
                return;
            }
            None => return,
        }
        self.readiness_changed(&kubelet, name, before);
    }

    fn readiness_changed(&mut self, by: &Writer, name: &Name, before: bool) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let after = pod.ready();
        let owner = pod.owner.clone();
        if after != before {
            pod.ready_since = after.then_some(self.now);
            let what = if after { What::Ready } else { What::Unready };
            self.store.record(by, name, what);
        }
        self.notice(&owner);
    }
}

fn event(at: Instant, object: &Name, reason: &'static str, message: String) -> Event {
    Event {
        at,
        object: object.clone(),
        reason,
        message,
    }
}

#[cfg(test)]
mod tests;
