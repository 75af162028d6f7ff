//! The faults: what goes wrong, and where.

use std::fmt::{self, Display, Formatter};

use harness::{Conditions, Flow};

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub target: Target,
    /// The service's link that the fault hits, if it hits a link. A fault of a store hits all its links.
    pub link: Option<Link>,
    pub kind: Kind,
}

/// The service or store that a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Vote,
    Worker,
    Result,
    Redis,
    Postgres,
}

/// A network link of a service, by its other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Voters or viewers.
    Door,
    Redis,
    Postgres,
}

/// What happens to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SIGKILL, then a restart.
    Kill,
    /// SIGTERM, then a restart.
    Terminate,
    /// SIGSTOP, then SIGCONT.
    Pause,
    /// Nothing passes. Bytes that were sent arrive once the link heals.
    Cut,
    /// Only answers pass.
    CutRequests,
    /// Only requests pass.
    CutAnswers,
    Slow,
    Reset,
    /// The wall clock jumps forward by an hour, and later back.
    ClockAhead,
    ClockBehind,
    /// Every fsync takes long.
    SlowDisk,
    /// Every fsync takes long, and at the end comes SIGKILL.
    SlowDiskKill,
    DiskFull,
    /// The service has the fault of this name because somebody ordered it.
    OnPurpose(&'static str),
    /// The store loses all data.
    Wiped,
    /// The store is restored from an older copy.
    Older,
}

const ON_PROCESSES: [Kind; 3] = [Kind::Kill, Kind::Terminate, Kind::Pause];
const ON_PURPOSE: [Kind; 4] = [
    Kind::OnPurpose("slow 2s"),
    Kind::OnPurpose("errors 30%"),
    Kind::OnPurpose("hang"),
    Kind::OnPurpose("unready"),
];
const ON_CLOCKS: [Kind; 2] = [Kind::ClockAhead, Kind::ClockBehind];
const ON_LINKS: [Kind; 5] = [Kind::Cut, Kind::CutRequests, Kind::CutAnswers, Kind::Slow, Kind::Reset];
const ON_DISKS: [Kind; 3] = [Kind::SlowDisk, Kind::SlowDiskKill, Kind::DiskFull];

/// The network links of each service.
const SERVICES: [(Target, &[Link]); 3] = [
    (Target::Vote, &[Link::Door, Link::Redis]),
    (Target::Worker, &[Link::Redis, Link::Postgres]),
    (Target::Result, &[Link::Door, Link::Redis, Link::Postgres]),
];

impl Fault {
    /// Every fault that is tested.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        let mut add = |target, link, kinds: &[Kind]| {
            all.extend(kinds.iter().map(|&kind| Self { target, link, kind }));
        };
        for (service, links) in SERVICES {
            add(service, None, &ON_PROCESSES);
            add(service, None, &ON_CLOCKS);
            add(service, None, &ON_PURPOSE);
            links.iter().for_each(|link| add(service, Some(*link), &ON_LINKS));
        }
        for store in [Target::Redis, Target::Postgres] {
            add(store, None, &ON_PROCESSES);
            add(store, None, &ON_LINKS);
            add(store, None, &ON_DISKS);
            add(store, None, &[Kind::Wiped]);
        }
        add(Target::Postgres, None, &[Kind::Older]);
        all
    }

    pub fn is_of_a_clock(self) -> bool {
        ON_CLOCKS.contains(&self.kind)
    }

    pub fn is_of_a_disk(self) -> bool {
        ON_DISKS.contains(&self.kind)
    }

    /// Whether the fault only delays. Such a fault must last longer than clients wait for an answer.
    pub fn is_a_stall(self) -> bool {
        use Kind::{Cut, CutAnswers, CutRequests, OnPurpose, Pause, Slow};
        matches!(self.kind, Pause | Cut | CutRequests | CutAnswers | Slow | OnPurpose(_))
    }

    /// Whether the fault may lose recorded votes. The moment at which it strikes decides how many.
    pub fn may_lose(self) -> bool {
        matches!(self.kind, Kind::Wiped | Kind::Older)
    }

    /// The conditions that the fault gives a link, if it hits links.
    pub fn conditions(self) -> Option<Conditions> {
        let (open, stalled, slow) = (Flow::Open, Flow::Stalled, Flow::Slow);
        let (requests, answers, broken) = match self.kind {
            Kind::Cut => (stalled, stalled, false),
            Kind::CutRequests => (stalled, open, false),
            Kind::CutAnswers => (open, stalled, false),
            Kind::Slow => (slow, slow, false),
            Kind::Reset => (open, open, true),
            _ => return None,
        };
        Some(Conditions { requests, answers, broken })
    }
}

impl Target {
    pub fn is_store(self) -> bool {
        matches!(self, Self::Redis | Self::Postgres)
    }

    /// The name of the program or the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vote => "vote",
            Self::Worker => "worker",
            Self::Result => "result",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }
}

/// The name on the command line and in the table, such as `vote/redis/cut-requests`.
impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let link = match self.link {
            None => "",
            Some(Link::Door) => "door/",
            Some(Link::Redis) => "redis/",
            Some(Link::Postgres) => "postgres/",
        };
        write!(f, "{}/{link}{}", self.target.name(), self.kind.name())
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Terminate => "terminate",
            Self::Pause => "pause",
            Self::Cut => "cut",
            Self::CutRequests => "cut-requests",
            Self::CutAnswers => "cut-answers",
            Self::Slow => "slow",
            Self::Reset => "reset",
            Self::ClockAhead => "clock-ahead",
            Self::ClockBehind => "clock-behind",
            Self::SlowDisk => "slow-disk",
            Self::SlowDiskKill => "slow-disk-kill",
            Self::DiskFull => "disk-full",
            Self::OnPurpose(order) => order.split(' ').next().unwrap_or(order),
            Self::Wiped => "wiped",
            Self::Older => "older",
        }
    }
}
