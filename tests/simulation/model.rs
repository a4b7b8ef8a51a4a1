//! What is known of requests, tokens and families by what was asked and answered alone.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use super::{graces::ToldUse, guesses::Guesses, world::World};

#[derive(Default)]
pub struct Model {
    pub asks: BTreeMap<u32, Ask>,
    pub tokens: Vec<Token>,
    pub families: Vec<Family>,
    pub guesses: Guesses,
}

/// A request that is not answered yet.
#[derive(Clone, Debug)]
pub struct Ask {
    pub intent: Intent,
    pub plugin: u32,
    pub process: usize,
    pub variant: usize,
    pub address: String,
    pub sent: Duration,
    /// The process's wall clock when it was sent.
    pub wall: u64,
    /// Whether all of it has come.
    pub is_whole: bool,
}

/// What a request is for.
#[derive(Clone, Debug)]
pub enum Intent {
    Login(Login),
    Refresh {
        client: &'static str,
        is_proven: bool,
        token: usize,
    },
    Revoke {
        client: &'static str,
        is_proven: bool,
        token: usize,
    },
    Introspect {
        client: &'static str,
        is_proven: bool,
        token: usize,
    },
    UserInfo {
        token: usize,
    },
    ClientCredentials {
        client: &'static str,
        is_proven: bool,
    },
    /// A guess at a client's secret.
    Secret {
        client: &'static str,
    },
    /// Something that is refused for this reason.
    Refused(&'static str),
    /// Something for everyone.
    Read,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub client: &'static str,
    /// Whether the client is one, and has proven itself.
    pub is_proven: bool,
    pub source: &'static str,
    pub name: &'static str,
    pub password: &'static str,
}

pub struct Token {
    pub text: Rc<str>,
    pub family: usize,
    pub kind: Kind,
    pub issued: Duration,
    /// The wall clock of who issued it.
    pub wall: u64,
    /// When it alone was revoked.
    pub denied: Option<Fact>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Access,
    /// Of this generation.
    Refresh(u32),
}

/// All tokens of one login.
pub struct Family {
    pub client: &'static str,
    /// Nobody where a client acts for itself.
    pub user: Option<(&'static str, &'static str)>,
    /// What the user logged in with.
    pub password: &'static str,
    pub began: Duration,
    pub wall: u64,
    pub ended: Option<Fact>,
    /// The generations that were certainly used.
    pub used: BTreeMap<u32, Used>,
    /// From where they were used, in the order in which that was told.
    pub places: Vec<ToldUse>,
    /// Whether something may have happened to it that its caller was not told.
    pub is_uncertain: bool,
    /// Uses of which nobody was told what has come of them.
    pub untold: Vec<UntoldUse>,
}

/// When a generation was first used, and what the wall clock may have said then.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub fact: Fact,
    pub walls: (u64, u64),
}

/// A refresh that may have been carried out.
#[derive(Clone, Debug)]
pub struct UntoldUse {
    pub generation: u32,
    pub sent: Duration,
    pub address: String,
    /// The latest that the wall clock may have said then.
    pub wall: u64,
}

/// Something that was told at a time by a process that had been started so often.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    pub at: Duration,
    pub starts: u32,
    /// Not where the store could not be asked, and the request was allowed all the same.
    pub is_stored: bool,
}

impl Model {
    /// The caller left, or the VM did.
    pub fn over_without_answer(&mut self, stream: u32, world: &World) {
        if let Some(ask) = self.asks.remove(&stream) {
            self.make_uncertain(&ask, world);
        }
    }

    /// It is not known what has come of a request.
    pub fn make_uncertain(&mut self, ask: &Ask, world: &World) {
        match &ask.intent {
            Intent::Refresh { token, .. } => {
                let used = self.untold_use(ask, *token, world.wall(ask.process));
                let family = self.family_of(*token);
                family.is_uncertain = true;
                family.untold.push(used);
            }
            Intent::Revoke { token, .. } => self.family_of(*token).is_uncertain = true,
            Intent::Login(login) => self.guesses.slip(login, &ask.address, world.counted_in(ask.process)),
            _ => {}
        }
    }

    /// Whether something may have happened to a family, or is happening now, that nobody was told of.
    pub fn is_uncertain(&self, family: usize) -> bool {
        let is_changed_by = |ask: &Ask| match &ask.intent {
            Intent::Refresh { token, .. } | Intent::Revoke { token, .. } => self.tokens[*token].family == family,
            _ => false,
        };
        self.families[family].is_uncertain || self.asks.values().any(is_changed_by)
    }

    fn untold_use(&self, ask: &Ask, token: usize, wall: u64) -> UntoldUse {
        let (generation, address) = (self.tokens[token].generation(), ask.address.clone());
        UntoldUse { generation, sent: ask.sent, address, wall: ask.wall.max(wall) }
    }

    /// Uses of a family's tokens of which nobody was told, or not yet.
    pub fn untold(&self, family: usize, world: &World) -> Vec<UntoldUse> {
        let under_way = self.asks.values().filter_map(|ask| match ask.intent {
            Intent::Refresh { token, .. } if self.tokens[token].family == family => {
                Some(self.untold_use(ask, token, world.wall(ask.process)))
            }
            _ => None,
        });
        self.families[family].untold.iter().cloned().chain(under_way).collect()
    }

    /// Whether a token was certainly ended by somebody.
    pub fn has_ended(&self, token: usize) -> bool {
        let token = &self.tokens[token];
        token.denied.is_some() || self.families[token.family].ended.is_some()
    }

    pub fn is_whole(&mut self, stream: u32) {
        if let Some(ask) = self.asks.get_mut(&stream) {
            ask.is_whole = true;
        }
    }

    pub fn family_of(&mut self, token: usize) -> &mut Family {
        let family = self.tokens[token].family;
        &mut self.families[family]
    }
}

impl Token {
    pub fn generation(&self) -> u32 {
        match self.kind {
            Kind::Refresh(generation) => generation,
            Kind::Access => 0,
        }
    }

    pub fn is_refresh(&self) -> bool {
        self.kind != Kind::Access
    }
}

impl Family {
    /// Whether its client has no secret, so that it is known from where its tokens are used.
    pub fn is_public(&self) -> bool {
        ["APP", "GUEST"].contains(&self.client)
    }

    /// Whether its client's refresh tokens stay as they are.
    pub fn is_kept(&self) -> bool {
        self.client == "KEPT"
    }
}
