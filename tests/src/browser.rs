//! A browser without a screen, driven by WebDriver (W3C) through chromedriver.

use crate::eventually::eventually;
use base64::{Engine, engine::general_purpose::STANDARD};
use launcher::{browser, suite};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The name under which WebDriver gives an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys as WebDriver names them.
pub mod keys {
    /// Enter.
    pub const ENTER: &str = "\u{e007}";
    /// Escape.
    pub const ESCAPE: &str = "\u{e00c}";
    /// The arrow down.
    pub const DOWN: &str = "\u{e015}";
}

/// A browser with one page; it ends with this value.
pub struct Browser {
    driver: Child,
    http: Client,
    session: String,
    /// Barriers that pictures have met.
    met: Mutex<Vec<String>>,
}

impl Browser {
    /// Starts a browser; none, with a word about it, where it is not installed or can't run.
    pub async fn start() -> Option<Self> {
        if !browser::is_there() {
            test_skips::skip("chromium and chromedriver are not installed");
            return None;
        }
        let port = suite::free_port().expect("a port");
        let driver = Command::new(browser::DRIVER)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        // A proxy of this machine knows no way to this machine.
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("a client");
        let mut started = Self { driver, http, session: String::new(), met: Mutex::default() };
        let address = format!("http://127.0.0.1:{port}");
        eventually("chromedriver answers", PATIENCE, || async {
            let status = started.http.get(format!("{address}/status")).send().await;
            status.map(|_| ()).map_err(|error| error.to_string())
        })
        .await;
        let options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en-US"],
        });
        let wanted =
            json!({"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": options});
        started.session = address;
        let wanted = json!({"capabilities": {"alwaysMatch": wanted}});
        // A machine that lets no browser run can't test the page; the log says so.
        let session = match started.attempt(Method::POST, "/session", wanted).await {
            Ok(session) => session,
            Err(reason) => {
                test_skips::skip(&format!("chromium can't be started here: {reason}"));
                return None;
            }
        };
        if axe().is_none() {
            test_skips::skip("barriers are not looked for: axe-core is not there");
        }
        let id = session["sessionId"].as_str().expect("a session");
        started.session = format!("{}/session/{id}", started.session);
        Some(started)
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        self.attempt(method, path, body).await.unwrap_or_else(|reason| unreachable!("{path}: {reason}"))
    }

    async fn attempt(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.session));
        if method == Method::POST {
            request = request.json(&body);
        }
        let mut answer: Value = request.send().await.expect("answered").json().await.expect("JSON");
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"])),
            None => Ok(value),
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ask(Method::POST, path, body).await
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.post("/url", json!({"url": url})).await;
    }

    /// One step back in the history.
    pub async fn back(&self) {
        self.post("/back", json!({})).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    /// The value of a JavaScript expression.
    pub async fn value(&self, expression: &str) -> Value {
        self.post("/execute/sync", json!({"script": format!("return (\n{expression}\n);"), "args": []})).await
    }

    /// Waits until a JavaScript expression is true, or anything but false, null, 0 and "".
    pub async fn until(&self, expression: &str) -> Value {
        eventually(expression, PATIENCE, || async {
            let value = self.value(expression).await;
            let falsy = matches!(&value, Value::Null | Value::Bool(false)) || value == json!(0) || value == json!("");
            if falsy { Err(format!("{value}; the page: {}", self.glance().await)) } else { Ok(value) }
        })
        .await
    }

    /// What a shopper would see first, for messages.
    async fn glance(&self) -> String {
        self.value("`${location.href} ${document.querySelector('main')?.innerText.slice(0, 300)}`").await.to_string()
    }

    /// Clicks on the first element that a CSS selector finds, as soon as that can be done.
    pub async fn click(&self, selector: &str) {
        eventually(&format!("{selector} can be clicked"), PATIENCE, || async {
            self.show(selector).await?;
            let element = self.find(selector).await?;
            self.attempt(Method::POST, &format!("/element/{element}/click"), json!({})).await.map(|_| ())
        })
        .await;
    }

    /// Types into the first element that a CSS selector finds.
    pub async fn keys(&self, selector: &str, text: &str) {
        eventually(&format!("{selector} can be typed into"), PATIENCE, || async {
            let element = self.find(selector).await?;
            let path = format!("/element/{element}/value");
            self.attempt(Method::POST, &path, json!({"text": text})).await.map(|_| ())
        })
        .await;
    }

    /// Scrolls an element to the middle, where nothing that sticks covers it.
    async fn show(&self, selector: &str) -> Result<(), String> {
        let script = "document.querySelector(arguments[0])?.scrollIntoView({block: 'center'})";
        self.attempt(Method::POST, "/execute/sync", json!({"script": script, "args": [selector]})).await.map(|_| ())
    }

    async fn find(&self, selector: &str) -> Result<String, String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let element = self.attempt(Method::POST, "/element", wanted).await?;
        Ok(element[ELEMENT].as_str().unwrap_or_default().to_owned())
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    /// Shows the page as on a screen of that size.
    pub async fn screen(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Shows the page as to somebody who prefers a colour scheme, and no movement.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Keeps a picture of the page in `target/screenshots/`, and looks for barriers in what it shows: they are among the complaints.
    pub async fn picture(&self, name: &str) {
        let shot = self.devtools("Page.captureScreenshot", json!({"format": "png"})).await;
        let program = std::env::current_exe().expect("this program's path");
        let target = program.ancestors().nth(3).expect("the target folder");
        let folder = target.join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        let bytes = STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("Base64");
        std::fs::write(folder.join(format!("{name}.png")), bytes).expect("written");
        let found = self.barriers().await.into_iter().map(|barrier| format!("{name}: {barrier}"));
        self.met.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    }

    /// What keeps people from using the page, as axe-core finds it: rules of WCAG 2.2, A and AA, that are broken seriously. Nothing
    /// where it is not there, which the start of the browser has told. What lies half under a bar that sticks is large enough once it is
    /// scrolled from there.
    async fn barriers(&self) -> Vec<String> {
        let Some(axe) = axe() else { return Vec::new() };
        let script = format!("if (!window.axe) {{ {axe} }}");
        self.post("/execute/sync", json!({"script": script, "args": []})).await;
        let run = "const done = arguments[arguments.length - 1];
            const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
            axe.run({runOnly: tags, resultTypes: ['violations']}).then(
              (found) => done(found.violations.filter((one) => ['serious', 'critical'].includes(one.impact)
                && !one.nodes.every((node) => node.failureSummary.includes('partially obscured'))).map(
                (one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`)),
              (error) => done([String(error)]));";
        let found = self.post("/execute/async", json!({"script": run, "args": []})).await;
        found.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    }

    /// What there is to complain about since this was asked last: errors and warnings of the page's console, and barriers that
    /// pictures have met.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().into_iter().flatten();
        let bad = entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let met = std::mem::take(&mut *self.met.lock().unwrap_or_else(PoisonError::into_inner));
        bad.map(|entry| entry["message"].to_string()).chain(met).collect()
    }
}

/// The script that finds barriers, if it is there.
fn axe() -> Option<&'static str> {
    static SCRIPT: OnceLock<Option<String>> = OnceLock::new();
    let script = SCRIPT.get_or_init(|| std::fs::read_to_string(std::env::var_os("SOUK_TEST_AXE")?).ok());
    script.as_deref()
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session, which the driver ends if it is asked to: killed, it would leave it running.
        let ended = || -> Option<()> {
            let (host, path) = self.session.strip_prefix("http://")?.split_once('/')?;
            let mut stream = TcpStream::connect(host).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
            write!(stream, "DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
            stream.read_to_end(&mut Vec::new()).ok().map(|_| ())
        };
        let _ = ended();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
