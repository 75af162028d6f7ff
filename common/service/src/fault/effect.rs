//! Begins and ends faults, as ordered.

use std::future::pending;
use std::hint::spin_loop;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::order::{Common, Fault, Order};
use super::post::{Inbox, Post};
use super::state::Faults;
use crate::control_group::memory_limit;

/// Before a service crashes or hangs, the subcommand can exit, and the others hear of the fault.
const BEGINS_AFTER: Duration = Duration::from_millis(200);

/// A service that hangs on purpose looks for the next order this often.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The memory grows by one part this often, so people can watch it for ten seconds.
const GROW_EVERY: Duration = Duration::from_millis(500);

/// The number of such parts in the limit.
const PARTS: u64 = 20;

/// Obeys one order after the other until `shutdown`, whatever the service is doing.
pub async fn obey(mut post: Post, faults: Faults, shutdown: CancellationToken) {
    let mut order = None;
    // So the metrics are there from the start.
    faults.set(None);
    while let Some(next) = shutdown.run_until_cancelled(next(order, &mut post)).await {
        faults.set(next.map(|order| order.fault));
        order = next;
    }
    faults.set(None);
}

/// Obeys this order until it is over, or the next one comes.
async fn next(order: Option<Order>, post: &mut Post) -> Option<Order> {
    let inbox = post.inbox();
    let suffering = async {
        match order {
            Some(order) => suffer(order, inbox).await,
            None => pending().await,
        }
    };
    tokio::select! {
        next = accepted(post) => Some(next).filter(|next| next.fault != Fault::Common(Common::None)),
        () = suffering => None,
    }
}

/// The next order that can be obeyed.
async fn accepted(post: &mut Post) -> Order {
    loop {
        let text = post.next().await;
        let order = Order::read(&text).map_err(|error| error.to_string()).and_then(possible);
        post.answer(order.as_ref().err().map_or("", String::as_str));
        if let Ok(order) = order {
            return order;
        }
    }
}

fn possible(order: Order) -> Result<Order, String> {
    if order.fault == Fault::Memory && memory_limit().is_none() {
        return Err("memory has no limit here, so this fault would take all of the machine's: \
                    set a limit of the container's memory first"
            .to_owned());
    }
    Ok(order)
}

/// Has the fault for as long as was ordered.
async fn suffer(order: Order, inbox: Inbox) {
    let until = Instant::now() + order.lasting;
    let suffering = async {
        match order.fault {
            Fault::Common(Common::Crash) => crash().await,
            Fault::Hang => hang(until, inbox).await,
            Fault::Cpu => burn().await,
            Fault::Memory => grow().await,
            // Who answers, or records, does what these faults demand.
            Fault::Unready | Fault::Common(Common::Slow { .. } | Common::Errors { .. } | Common::None) => {}
        }
        pending().await
    };
    let _: Result<(), _> = timeout(order.lasting, suffering).await;
}

async fn crash() {
    sleep(BEGINS_AFTER).await;
    std::process::abort();
}

/// Blocks all threads of the runtime. The first process of a container ignores SIGSTOP, so nobody
/// could stop it from outside.
async fn hang(until: Instant, inbox: Inbox) {
    sleep(BEGINS_AFTER).await;
    let over = CancellationToken::new();
    let _guard = over.clone().drop_guard();
    let block = move || {
        while Instant::now() < until && !inbox.has_order() && !over.is_cancelled() {
            thread::sleep(LOOK_EVERY);
        }
    };
    let runtime = Handle::current();
    let block_all = move || {
        for _ in 0..runtime.metrics().num_workers() {
            let block = block.clone();
            runtime.spawn(async move { block() });
        }
    };
    // Tasks from a thread outside the runtime are spread over all of its threads.
    let _ = spawn_blocking(block_all).await;
    pending().await
}

async fn burn() {
    let over = CancellationToken::new();
    let _guard = over.clone().drop_guard();
    let burning = move || {
        while !over.is_cancelled() {
            spin_loop();
        }
    };
    let _ = spawn_blocking(burning).await;
}

async fn grow() {
    let part = memory_limit().unwrap_or_default() / PARTS;
    let mut taken = Vec::new();
    loop {
        // The kernel counts only what was written to.
        taken.push(vec![1_u8; part as usize]);
        sleep(GROW_EVERY).await;
    }
}
