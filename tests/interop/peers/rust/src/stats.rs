//! What the process uses.

use serde_json::json;

use crate::contract::Outcome;
use crate::node::Peer;

const CLOCK_TICKS_PER_SECOND: f64 = 100.0;
const START_TIME_WORD: usize = 19;

pub async fn stats(peer: &Peer) -> Outcome {
    let counts = peer.node.act(|driver| {
        let counters = driver.swarm.network_info();
        (counters.connection_counters().num_established(), driver.dht_served)
    });
    let (conns, dht_served) = counts.await?;
    Ok(json!({ "rssKb": rss_kb(), "cpuMs": cpu_ms(), "conns": conns, "dhtServed": dht_served }))
}

/// Of the whole process.
pub fn cpu_ms() -> f64 {
    // SAFETY: getrusage fills the structure, for which zeros are valid.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1000.0 + time.tv_usec as f64 / 1000.0;
    ms(usage.ru_utime) + ms(usage.ru_stime)
}

fn rss_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Has the resolution of the kernel's clock tick, 10 ms.
pub fn ms_since_process_start() -> f64 {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let number = |text: &str, index: usize| text.split_whitespace().nth(index)?.parse::<f64>().ok();
    let stat = read("/proc/self/stat");
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    match (number(&read("/proc/uptime"), 0), number(after_name, START_TIME_WORD)) {
        (Some(seconds), Some(ticks)) => ((seconds - ticks / CLOCK_TICKS_PER_SECOND) * 1000.0).max(0.0),
        _ => 0.0,
    }
}
