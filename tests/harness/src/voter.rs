//! A voter, over plain HTTP.

use std::sync::LazyLock;

use election::VoterId;
use hyper::body::Bytes;
use load_test::cookie::Cookie;
use load_test::vote::{Answer, Vote};
use reqwest::header::COOKIE;
use reqwest::{Client, RequestBuilder, Response, redirect};

use super::eventually;

/// Follows no redirect, because a 303 is the answer that a test looks for.
static CLIENT: LazyLock<Client> =
    LazyLock::new(|| Client::builder().redirect(redirect::Policy::none()).build().expect("a client"));

/// A browser of one person, reduced to its cookie and its memory.
#[derive(Clone, Debug)]
pub struct Voter {
    pub id: VoterId,
    pub cookie: String,
    /// What we were told about each vote.
    pub votes: Vec<Vote>,
}

impl Voter {
    /// Opens the page, which gives us our identity.
    pub async fn arrive(url: &str) -> Self {
        let page = client().get(url).send().await.expect("the page");
        assert_eq!(page.status(), 200);
        let cookie = Cookie::of(page.headers()).expect("a cookie");
        Self { id: cookie.voter, cookie: text(&cookie), votes: Vec::new() }
    }

    pub async fn arrive_many(url: &str, count: usize) -> Vec<Self> {
        let mut voters = Vec::new();
        for _ in 0..count {
            voters.push(Self::arrive(url).await);
        }
        voters
    }

    /// Votes once, remembers what we are told, and returns the answer: an error if there was none.
    pub async fn vote(&mut self, url: &str, key: &str) -> reqwest::Result<Response> {
        let request = client().post(url).header(COOKIE, &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let vote = key.parse().ok().map(Vote::sent_now);
        let answer = read(request.body(format!("vote={key}"))).await;
        let told = self.understand(&answer);
        self.votes.extend(vote.map(|vote| Vote { answer: told, ..vote }));
        Ok(answer?.into())
    }

    /// Votes until the vote is recorded, as a person who presses again would,
    /// at one address after the other.
    pub async fn insist(&mut self, urls: &[&str], key: &str) {
        let mut urls = urls.iter().cycle();
        eventually("a recorded vote", async || {
            let answer = self.vote(urls.next()?, key).await.ok()?;
            (answer.status() == 303).then_some(())
        })
        .await;
    }

    /// What the answer means; keeps its cookie.
    fn understand(&mut self, answer: &reqwest::Result<Whole>) -> Answer {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Answer::Refused,
            Err(_) => return Answer::None,
        };
        let cookie = Cookie::of(answer.headers());
        if let Some(cookie) = &cookie {
            self.cookie = text(cookie);
        }
        let told = Answer::of(answer.status(), cookie.as_ref(), answer.body());
        assert!(
            answer.status() != 303 || told.is_recorded(),
            "a recorded vote comes with its order: {told:?}"
        );
        told
    }
}

type Whole = hyper::Response<Bytes>;

async fn read(request: RequestBuilder) -> reqwest::Result<Whole> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut whole = Whole::new(answer.bytes().await?);
    (*whole.status_mut(), *whole.headers_mut()) = (status, headers);
    Ok(whole)
}

fn text(cookie: &Cookie) -> String {
    cookie.header.to_str().expect("a cookie in ASCII").to_owned()
}

pub fn client() -> Client {
    CLIENT.clone()
}
