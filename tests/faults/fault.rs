//! What can go wrong, and for whom: the cells of the table.

use std::fmt::{self, Display, Formatter};

use harness::{Conditions, Flow};

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub target: Target,
    /// Which of a service's links, if it is about one; of a store, all are hit.
    pub link: Option<Link>,
    pub kind: Kind,
}

/// Who is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Vote,
    Worker,
    Result,
    Redis,
    Postgres,
}

/// Where a link of a service leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// To voters or viewers.
    Door,
    Redis,
    Postgres,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SIGKILL, and a new start.
    Kill,
    /// SIGTERM, and a new start.
    Terminate,
    /// SIGSTOP, and SIGCONT.
    Pause,
    /// Nothing passes; what was sent arrives late.
    Cut,
    /// Answers pass.
    CutRequests,
    /// Requests pass.
    CutAnswers,
    Slow,
    Reset,
    /// The wall clock jumps by an hour, and later back.
    ClockAhead,
    ClockBehind,
    /// Every sync takes long.
    SlowDisk,
    /// The same, and at the end SIGKILL.
    SlowDiskKill,
    DiskFull,
    /// It loses all data.
    Wiped,
    /// It comes back with the data of an earlier moment.
    Older,
}

const ON_PROCESSES: [Kind; 3] = [Kind::Kill, Kind::Terminate, Kind::Pause];
const ON_CLOCKS: [Kind; 2] = [Kind::ClockAhead, Kind::ClockBehind];
const ON_LINKS: [Kind; 5] = [Kind::Cut, Kind::CutRequests, Kind::CutAnswers, Kind::Slow, Kind::Reset];
const ON_DISKS: [Kind; 3] = [Kind::SlowDisk, Kind::SlowDiskKill, Kind::DiskFull];

/// What can go wrong with a service, and the links it has.
const SERVICES: [(Target, &[Link]); 3] = [
    (Target::Vote, &[Link::Door, Link::Redis]),
    (Target::Worker, &[Link::Redis, Link::Postgres]),
    (Target::Result, &[Link::Door, Link::Redis, Link::Postgres]),
];

impl Fault {
    /// The whole table.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        let mut add = |target, link, kinds: &[Kind]| {
            all.extend(kinds.iter().map(|&kind| Self { target, link, kind }));
        };
        for (service, links) in SERVICES {
            add(service, None, &ON_PROCESSES);
            add(service, None, &ON_CLOCKS);
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

    /// Whether it lasts: whoever waits for an answer must be kept waiting for longer than they do.
    pub fn is_a_stall(self) -> bool {
        matches!(self.kind, Kind::Pause | Kind::Cut | Kind::CutRequests | Kind::CutAnswers | Kind::Slow)
    }

    /// Whether what was recorded may be lost by it; how much then depends on when it comes.
    pub fn may_lose(self) -> bool {
        matches!(self.kind, Kind::Wiped | Kind::Older)
    }

    /// What it makes of a link, if it is about links.
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

    /// The program, or the name of the store.
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

/// As it is named on the command link and in the table, such as `vote/redis/cut-requests`.
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
            Self::Wiped => "wiped",
            Self::Older => "older",
        }
    }
}
