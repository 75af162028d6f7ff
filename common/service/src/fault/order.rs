//! Which faults there are, and how they are ordered on the command line.

use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::parse::{LASTS_MIN, Share, delay, lasting};
use super::post;

/// Long enough to see what happens, and short enough to be forgotten without harm.
const LASTS: &str = "60s";

/// An order to have a fault for a while.
#[derive(Args, Clone, Copy, Debug, PartialEq)]
pub struct Order<Kind: Subcommand = Fault> {
    #[command(subcommand)]
    pub(super) fault: Kind,
    /// How long the fault lasts, at most 1h; then it ends by itself
    #[arg(long = "for", value_name = "TIME", default_value = LASTS, value_parser = lasting, global = true)]
    pub(super) lasting: Duration,
}

/// What a service in a container does wrong. A new fault replaces the one before.
#[derive(Subcommand, Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    #[command(flatten)]
    #[doc(hidden)]
    Common(Common),
    /// Answers nothing, not even the health checks, so that an orchestrator must find it and restart it
    Hang,
    /// Tells load balancers to send nothing, and still answers
    Unready,
    /// Burns one processor, so that autoscaling sees load
    Cpu,
    /// Takes more and more memory until its limit kills it
    Memory,
}

/// What also a program without a container does wrong.
#[derive(Subcommand, Clone, Copy, Debug, PartialEq)]
pub enum Common {
    /// Dies at once, as after a bug, so that you see it come back
    Crash,
    /// Holds back each answer, and a worker each batch, for a time such as 2s
    Slow {
        /// For how long, at most 30s
        #[arg(value_name = "TIME", value_parser = delay)]
        by: Duration,
    },
    /// Fails a share of the requests, and a worker's tries to record a batch, such as 30%
    Errors {
        /// How many of a hundred, from 1% to 100%
        share: Share,
    },
    /// Ends the fault at once
    None,
}

impl Order {
    /// The order to crash.
    pub(crate) fn to_crash() -> Self {
        Self { fault: Fault::Common(Common::Crash), lasting: LASTS_MIN }
    }

    /// Reads an order as [`Order::give`] wrote it.
    pub(super) fn read(text: &str) -> Result<Self, clap::Error> {
        #[derive(Parser)]
        #[command(no_binary_name = true)]
        struct Text {
            #[command(flatten)]
            order: Order,
        }
        Ok(Text::try_parse_from(text.split(' '))?.order)
    }
}

impl<Kind: Subcommand + Display> Order<Kind> {
    /// Gives the order to the program on this machine or in this container that listens on `address`,
    /// which `setting` chose.
    pub async fn give(&self, address: SocketAddr, setting: &str) -> anyhow::Result<()> {
        post::send(&self.to_string(), address, setting).await
    }
}

impl<Kind: Subcommand + Display> Display for Order<Kind> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} --for {}", self.fault, in_one_word(self.lasting))
    }
}

/// As on the command line.
impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Common(fault) => fault.fmt(f),
            Self::Hang => f.write_str("hang"),
            Self::Unready => f.write_str("unready"),
            Self::Cpu => f.write_str("cpu"),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// As on the command line.
impl Display for Common {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash => f.write_str("crash"),
            Self::Slow { by } => write!(f, "slow {}", in_one_word(*by)),
            Self::Errors { share } => write!(f, "errors {share}"),
            Self::None => f.write_str("none"),
        }
    }
}

fn in_one_word(time: Duration) -> String {
    humantime::format_duration(time).to_string().replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        for text in ["crash", "slow 1s500ms", "errors 30%", "none", "hang", "unready", "cpu", "memory"] {
            let order = Order::read(&format!("{text} --for 1m30s")).unwrap();
            assert_eq!(order.lasting, Duration::from_secs(90));
            assert_eq!(order.fault.to_string(), text);
            assert_eq!(Order::read(&order.to_string()).unwrap(), order);
        }
        assert_eq!(Order::read("hang").unwrap().lasting, Duration::from_secs(60));
    }

    #[test]
    fn what_cannot_be_ordered_is_named_with_what_can() {
        let cases = [
            ("slow 31s", "'31s'", "at most 30s"),
            ("slow 0s", "'0s'", "at least 1ms"),
            ("slow soon", "'soon'", "such as 2s"),
            ("errors 0%", "'0%'", "from 1% to 100%"),
            ("errors 101%", "'101%'", "from 1% to 100%"),
            ("errors some", "'some'", "from 1% to 100%"),
            ("hang --for 61m", "'61m'", "at most 1h"),
            ("hang --for 0s", "'0s'", "at least 1s"),
            ("smoke", "'smoke'", "unrecognized subcommand"),
        ];
        for (text, value, remedy) in cases {
            let error = Order::read(text).unwrap_err().to_string();
            assert!(error.contains(value) && error.contains(remedy), "{text}: {error}");
        }
    }
}
