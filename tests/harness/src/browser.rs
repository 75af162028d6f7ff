//! A real browser.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;

use super::{Service, eventually, free_port};

/// chromedriver prints this once it accepts commands.
const READY: &str = "was started successfully";

/// No window, no sandbox (root cannot have one), and no requests to the internet.
const ARGUMENTS: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync";

/// The size of a screen in CSS pixels, and how many physical pixels make one CSS pixel.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub width: u32,
    pub height: u32,
    pub scale: u32,
}

impl Screen {
    /// The narrowest screen still sold, and what a desktop shows at 400 % zoom.
    pub const NARROW: Self = Self { width: 320, height: 568, scale: 2 };
    pub const PHONE: Self = Self { width: 390, height: 780, scale: 2 };
    pub const DESKTOP: Self = Self { width: 1280, height: 860, scale: 1 };
    pub const PROJECTOR: Self = Self { width: 1920, height: 1080, scale: 1 };
}

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

    /// Ends the browser. Dropping it does the same, but blocks the thread.
    pub async fn close(self) {
        self.page.quit().await.expect("the end of the browser");
    }

    /// Changes the size of the screen.
    pub async fn look_at(&self, screen: Screen) {
        let Screen { width, height, scale } = screen;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.send("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Sets the reader's preferences, as media features.
    pub async fn prefer(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.send("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Sets the reader's languages.
    pub async fn speak(&self, languages: &str) {
        self.send("Network.enable", json!({})).await;
        let headers = json!({ "headers": { "Accept-Language": languages } });
        self.send("Network.setExtraHTTPHeaders", headers).await;
    }

    /// Opens pages whose certificates nobody vouches for.
    pub async fn trust_all_certificates(&self) {
        self.send("Security.setIgnoreCertificateErrors", json!({ "ignore": true })).await;
    }

    /// Runs a script on the page and returns what it returns.
    pub async fn run(&self, script: &str) -> Value {
        self.page.execute(script, Vec::new()).await.expect("a script that runs").json().clone()
    }

    async fn send(&self, command: &str, parameters: Value) {
        self.page.cdp().send_raw(command, parameters).await.expect("a browser that answers");
    }

    pub async fn open(&self, url: &str) {
        self.page.goto(url).await.expect("the page");
    }

    pub async fn press(&self, label: &str) {
        let button = By::XPath(format!("//button[normalize-space()='{label}']"));
        self.page.find(button).await.expect("the button").click().await.expect("a click");
    }

    /// Types into the focused element.
    pub async fn type_keys(&self, keys: impl Into<TypingData>) {
        let focused = self.page.active_element().await.expect("something with the focus");
        focused.send_keys(keys).await.expect("keys that arrive");
    }

    /// Waits until the page shows this text to a reader.
    pub async fn shows(&self, text: &str) {
        eventually(&format!("the page to show {text:?}"), async || {
            let shown = self.page.find(By::Tag("body")).await.ok()?.text().await.ok()?;
            shown.replace(['\u{2068}', '\u{2069}'], "").contains(text).then_some(())
        })
        .await;
    }
}
