//! What the core asks for, and who answers.

use super::Worker;
use crate::{
    endpoint::{Continuation, Effect, Unavailable},
    registry::auth_source::Directory,
    runtime::{
        check_threads::QueuedCheck,
        host::Host,
        memory::StoreAnswer,
        outbound_request::{Asked, OutboundRequest},
        waiter::{Ticket, Waiter},
        work_queue::TurnedAway,
    },
    state::etcd::EtcdQuestion,
};

impl<H: Host> Worker<H> {
    /// Has an effect performed, or performs it at once.
    pub(super) fn ask(&mut self, ticket: Ticket, effect: Effect) {
        match effect {
            Effect::Reserve(guess, pending) => {
                let answer = self.memory.attempt(|counters| counters.guess(&guess), &self.host);
                self.remember(answer, Waiter { ticket, pending });
            }
            Effect::Settle(settlement, pending) => {
                let answer = self.memory.attempt(|counters| counters.settlement(&settlement), &self.host);
                self.remember(answer, Waiter { ticket, pending });
            }
            Effect::WrongSecret(wrong, pending) => {
                let answer = self.memory.attempt(|counters| counters.wrong_secret(wrong), &self.host);
                self.remember(answer, Waiter { ticket, pending });
            }
            Effect::RefreshTokenUse(claim, pending) => {
                let answer = self.memory.token(claim, &self.host);
                self.remember(answer, Waiter { ticket, pending });
            }
            Effect::CheckActive(token, pending) => {
                let answer = self.memory.token(token, &self.host);
                self.remember(answer, Waiter { ticket, pending });
            }
            Effect::Remember(revoke, pending) => {
                let answer = self.memory.token(revoke, &self.host);
                self.remember(answer, Waiter { ticket, pending });
            }
            Effect::Find(find, pending) if matches!(find.auth_source.directory, Directory::Snapshot(_)) => {
                let found = self.snapshots.find(&find).ok_or(Unavailable::SOON);
                self.resume(Waiter { ticket, pending }.ready(found));
            }
            Effect::Find(find, pending) => {
                self.call(OutboundRequest::Find(Asked::by(find, Waiter { ticket, pending })))
            }
            Effect::Confirm(confirm, pending) => {
                self.call(OutboundRequest::Confirm(Asked::by(confirm, Waiter { ticket, pending })));
            }
            Effect::Sign(work, pending) => {
                let now = self.host.monotonic();
                let admitted = self.signings.admit(work, Waiter { ticket, pending }, ticket.origin, now);
                self.unless_admitted(admitted);
            }
            Effect::CheckSignature(check, pending) => {
                let waiter = Waiter { ticket, pending };
                match self.signature_checks.admit(check, waiter, ticket.origin, &self.host) {
                    Ok(Some(recognized)) => self.recognized(recognized),
                    Ok(None) => {}
                    Err(turned_away) => self.unless_admitted(Err(turned_away)),
                }
            }
            Effect::Verify(check, rank, pending) => {
                let check = QueuedCheck { check, origin: ticket.origin, rank };
                let waiter = Waiter { ticket, pending };
                let admitted = self.checks.admit(check, waiter, &mut self.metrics, &self.host);
                self.unless_admitted(admitted);
            }
        }
    }

    fn remember<Q, K>(&mut self, answer: StoreAnswer<Q>, waiter: Waiter<K>)
    where
        Q: EtcdQuestion + 'static,
        K: Continuation<Result = Q::Answer> + 'static,
    {
        match answer {
            StoreAnswer::Ready(answer) => self.resume(waiter.ready(answer)),
            StoreAnswer::NeedsCallout(conversation) => {
                self.call(OutboundRequest::Store(Box::new(Asked::by(conversation, waiter))));
            }
        }
    }

    fn call(&mut self, request: OutboundRequest) {
        let called = self.calls.ask(request, &self.host);
        self.resume_all(called);
    }

    fn unless_admitted<K>(&mut self, admitted: Result<(), TurnedAway<Waiter<K>>>)
    where
        K: Continuation + 'static,
        K::Result: 'static,
    {
        if let Err(TurnedAway { waiter, wait }) = admitted {
            let unavailable = Unavailable { retry_after: wait.as_secs().max(1), ..Unavailable::SOON };
            self.resume(waiter.ready(Err(unavailable)));
        }
    }
}
