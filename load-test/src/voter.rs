//! A voter: opens the page, votes, and remembers every answer.

use anyhow::{Context, ensure};
use caller::{CallError, Caller};
use election::{Choice, VoterId};
use hyper::header::{CONTENT_TYPE, COOKIE};
use hyper::{Request, StatusCode};

use crate::cookie::Cookie;
use crate::vote::{Answer, Vote};

/// How a browser sends a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// One person's browser, reduced to its cookie and the votes that the person remembers.
pub struct Voter {
    cookie: Cookie,
    votes: Vec<Vote>,
}

/// The result of sending a vote.
pub struct Reply {
    /// What the voter was told.
    pub answer: Answer,
    /// The status of the answer, or why there was none.
    pub status: Result<StatusCode, CallError>,
}

impl Voter {
    /// Opens the page for the first time, which makes the browser a voter.
    pub async fn arrive(caller: &mut Caller) -> anyhow::Result<Self> {
        let request = Request::get("/").body(String::new())?;
        let answer = caller.ask(request).await?;
        ensure!(answer.status() == StatusCode::OK, "the ballot page answers {}", answer.status());
        let cookie = Cookie::of(answer.headers());
        let cookie = cookie.context("--vote-url leads to a page that gives no cookie")?;
        Ok(Self { cookie, votes: Vec::new() })
    }

    /// Votes once, and remembers the answer.
    pub async fn cast(&mut self, caller: &mut Caller, poll: &str, choice: Choice) -> Reply {
        let mut vote = Vote::sent_now(choice);
        let reply = self.send(caller, format!("poll={poll}&vote={choice}")).await;
        vote.answer = reply.answer;
        self.votes.push(vote);
        reply
    }

    /// The choice that was recorded last.
    pub fn recorded(&self) -> Option<Choice> {
        self.votes.iter().rfind(|vote| vote.answer.is_recorded()).map(|vote| vote.choice)
    }

    /// Whether any vote of this voter may count.
    pub fn may_count(&self) -> bool {
        self.votes.iter().any(|vote| vote.answer != Answer::Refused)
    }

    /// The voter's id, and what the voter was told.
    pub fn into_told(self) -> (VoterId, Vec<Vote>) {
        (self.cookie.voter, self.votes)
    }

    async fn send(&mut self, caller: &mut Caller, form: String) -> Reply {
        let request = Request::post("/").header(CONTENT_TYPE, FORM).header(COOKIE, &self.cookie.header);
        let asked = match request.body(form) {
            Ok(request) => caller.ask(request).await,
            Err(error) => Err(CallError::NotSent(error.into())),
        };
        match asked {
            Ok(page) => {
                let (status, cookie) = (page.status(), Cookie::of(page.headers()));
                let answer = Answer::of(status, cookie.as_ref(), page.body());
                if let Some(cookie) = cookie {
                    self.cookie = cookie;
                }
                Reply { answer, status: Ok(status) }
            }
            Err(error @ CallError::NotSent(_)) => Reply { answer: Answer::Refused, status: Err(error) },
            Err(error) => Reply { answer: Answer::None, status: Err(error) },
        }
    }
}

impl Reply {
    /// Why the vote was not recorded, for a table of reasons.
    pub fn reason(&self) -> String {
        match &self.status {
            Ok(status) => format!("status {}", status.as_u16()),
            Err(CallError::NotSent(_)) => "no connection".to_owned(),
            Err(CallError::NoAnswer(_)) => "no answer".to_owned(),
        }
    }
}
