//! A voter, over plain HTTP.

use std::sync::LazyLock;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Response, redirect};

use super::eventually;

/// Follows no redirect, because a 303 is the answer that a test looks for.
static CLIENT: LazyLock<Client> =
    LazyLock::new(|| Client::builder().redirect(redirect::Policy::none()).build().expect("a client"));

/// A browser of one person, reduced to its cookie.
#[derive(Clone, Debug, Default)]
pub struct Voter {
    pub cookie: String,
    /// The last choice that we were told is recorded.
    pub recorded: Option<String>,
}

impl Voter {
    /// Opens the page, which gives us our identity.
    pub async fn arrive(url: &str) -> Self {
        let mut voter = Self::default();
        let page = client().get(url).send().await.expect("the page");
        assert_eq!(page.status(), 200);
        voter.keep_cookie(&page);
        voter
    }

    pub async fn arrive_many(url: &str, count: usize) -> Vec<Self> {
        let mut voters = Vec::new();
        for _ in 0..count {
            voters.push(Self::arrive(url).await);
        }
        voters
    }

    /// Votes once, and returns the answer: an error if there was none.
    pub async fn vote(&mut self, url: &str, key: &str) -> reqwest::Result<Response> {
        let request = client().post(url).header(COOKIE, &self.cookie);
        let answer = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = answer.body(format!("vote={key}")).send().await?;
        self.keep_cookie(&answer);
        if answer.status() == 303 {
            self.recorded = Some(key.to_owned());
        }
        Ok(answer)
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

    fn keep_cookie(&mut self, answer: &Response) {
        if let Some(cookie) = answer.headers().get(SET_COOKIE) {
            let text = cookie.to_str().expect("a cookie in ASCII");
            self.cookie = text.split(';').next().expect("a pair").to_owned();
        }
    }
}

pub fn client() -> Client {
    CLIENT.clone()
}
