//! A real browser.

use std::process::Command;

use tempfile::TempDir;
use thirtyfour::prelude::*;

use super::{Service, eventually, free_port};

/// chromedriver prints this once it takes orders.
const READY: &str = "was started successfully";

/// No window, no sandbox (which root cannot have), and no calls to the outside.
const ARGUMENTS: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync";

/// Chromium with an empty profile, driven through chromedriver.
pub struct Browser {
    pub page: WebDriver,
    // Declared before the profile, because fields are dropped in this order.
    _chromedriver: Service,
    _profile: TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        Self::with_javascript(true).await
    }

    pub async fn without_javascript() -> Self {
        Self::with_javascript(false).await
    }

    async fn with_javascript(javascript: bool) -> Self {
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        let chromedriver = Service::launch(command, READY).await.expect("chromedriver");
        let profile = TempDir::with_prefix("profile-").expect("a temporary folder");
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in ARGUMENTS.split_whitespace() {
            capabilities.add_arg(argument).expect("an argument");
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display())).expect("an argument");
        if !javascript {
            let blocked = serde_json::json!({ "profile.managed_default_content_settings.javascript": 2 });
            capabilities.add_experimental_option("prefs", blocked).expect("a preference");
        }
        let page = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await.expect("a browser");
        Self { page, _chromedriver: chromedriver, _profile: profile }
    }

    /// Ends the browser. Dropping it does so too, and blocks the thread meanwhile.
    pub async fn close(self) {
        self.page.quit().await.expect("the end of the browser");
    }

    pub async fn open(&self, url: &str) {
        self.page.goto(url).await.expect("the page");
    }

    pub async fn press(&self, label: &str) {
        let button = By::XPath(format!("//button[normalize-space()='{label}']"));
        self.page.find(button).await.expect("the button").click().await.expect("a click");
    }

    /// Waits until the page shows this text to a reader.
    pub async fn shows(&self, text: &str) {
        eventually(&format!("the page to show {text:?}"), async || {
            let shown = self.page.find(By::Tag("main")).await.ok()?.text().await.ok()?;
            shown.contains(text).then_some(())
        })
        .await;
    }
}
