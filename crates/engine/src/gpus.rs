//! The GPUs of this machine, as the driver's own tool tells.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

/// The variable that says which GPUs a program sees.
pub(crate) const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// One GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// As in `cuda:0`: the driver's, in the order of the bus.
    pub index: usize,
    /// Names it whatever order a program counts in.
    pub uuid: String,
    pub name: String,
    /// Of memory.
    pub mebibytes: u64,
}

/// None where there is no driver; its tool is `nvidia-smi`, wherever `PATH` has it.
pub fn gpus() -> Vec<Gpu> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    let tool: Option<PathBuf> =
        folders.find_map(|folder| Some(folder.join("nvidia-smi")).filter(|tool| tool.is_file()));
    let output = tool.and_then(|tool| {
        Command::new(tool)
            .args(["--query-gpu=index,uuid,memory.total,name", "--format=csv,noheader,nounits"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()
    });
    let said = output.filter(|output| output.status.success());
    said.map_or(Vec::new(), |output| read(&String::from_utf8_lossy(&output.stdout)))
}

/// What is no line about a GPU says nothing.
fn read(text: &str) -> Vec<Gpu> {
    let gpu = |line: &str| {
        let mut parts = line.splitn(4, ',').map(str::trim);
        let (index, uuid) = (parts.next()?.parse().ok()?, parts.next()?.to_owned());
        let (mebibytes, name) = (parts.next()?.parse().ok()?, parts.next()?.to_owned());
        Some(Gpu { index, uuid, name, mebibytes })
    };
    text.lines().filter_map(gpu).collect()
}

/// What a program on these devices sees: `cuda:1,cuda:2` of those that the person allows, else by their UUIDs, else by their numbers.
/// `None` on none; an error names the one that is not there.
pub(crate) fn visible(
    device: &str,
    allowed: Option<&str>,
    gpus: &[Gpu],
) -> Result<Option<String>, String> {
    if device == "cpu" {
        return Ok(None);
    }
    let name = |device: &str| {
        let index: usize = device.strip_prefix("cuda:")?.parse().ok()?;
        match allowed {
            Some(names) => names.split(',').nth(index).map(|name| name.trim().to_owned()),
            None if gpus.is_empty() => Some(index.to_string()),
            None => gpus.iter().find(|gpu| gpu.index == index).map(|gpu| gpu.uuid.clone()),
        }
    };
    let names = device.split(',').map(|device| name(device).ok_or_else(|| device.to_owned()));
    Ok(Some(names.collect::<Result<Vec<_>, _>>()?.join(",")))
}

/// Which GPUs these devices are, whatever they are called here: `cuda:1 is GPU-bb (NVIDIA A100, 40960 MiB)`. Nothing of those
/// that are not known.
pub(crate) fn identities(devices: &[String], allowed: Option<&str>, gpus: &[Gpu]) -> Vec<String> {
    let identity = |device: &str| {
        let seen = visible(device, allowed, gpus).ok()??;
        let Gpu { uuid, name, mebibytes, .. } =
            gpus.iter().find(|gpu| gpu.uuid.starts_with(&seen) || gpu.index.to_string() == seen)?;
        Some(format!("{device} is {uuid} ({name}, {mebibytes} MiB)"))
    };
    devices.iter().flat_map(|slot| slot.split(',')).filter_map(identity).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "0, GPU-aa, 81559, NVIDIA H100 80GB HBM3\n1, GPU-bb, 40960, NVIDIA A100, PCIe\nsomething else\n";

    #[test]
    fn what_the_tool_says_is_understood_as_far_as_it_goes() {
        let found = read(SAID);
        let shown = found
            .iter()
            .map(|gpu| format!("{} {} {} {}", gpu.index, gpu.uuid, gpu.mebibytes, gpu.name));
        let expected = ["0 GPU-aa 81559 NVIDIA H100 80GB HBM3", "1 GPU-bb 40960 NVIDIA A100, PCIe"];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!(read("No devices were found\n"), []);
    }

    #[test]
    fn a_slots_gpus_are_among_those_that_are_allowed_and_have_names_that_hold() {
        let known = read(SAID);
        let check = |device: &str,
                     allowed: Option<&str>,
                     gpus: &[Gpu],
                     expected: Result<Option<&str>, &str>| {
            let found = visible(device, allowed, gpus);
            let found = found.as_ref().map(Option::as_deref).map_err(String::as_str);
            assert_eq!(found, expected, "{device} of {allowed:?}");
        };
        check("cpu", None, &known, Ok(None));
        check("cuda:1", None, &known, Ok(Some("GPU-bb")));
        check("cuda:1,cuda:0", None, &known, Ok(Some("GPU-bb,GPU-aa")));
        check("cuda:0,cuda:2", None, &known, Err("cuda:2"));
        check("cuda:2", None, &[], Ok(Some("2")));
        check("cuda:1", Some("2, GPU-ab"), &known, Ok(Some("GPU-ab")));
        check("cuda:1", Some("3"), &known, Err("cuda:1"));
        check("tpu:0", None, &known, Err("tpu:0"));
    }

    #[test]
    fn a_device_is_known_by_what_no_counting_changes() {
        let check = |device: &str, allowed: Option<&str>, expected: &[&str]| {
            let found = identities(&[device.to_owned()], allowed, &read(SAID));
            assert_eq!(found, expected, "{device} of {allowed:?}");
        };
        let (a, b) =
            ("GPU-aa (NVIDIA H100 80GB HBM3, 81559 MiB)", "GPU-bb (NVIDIA A100, PCIe, 40960 MiB)");
        check("cuda:1", None, &[&format!("cuda:1 is {b}")]);
        check("cuda:1,cuda:0", None, &[&format!("cuda:1 is {b}"), &format!("cuda:0 is {a}")]);
        check("cuda:0", Some("1"), &[&format!("cuda:0 is {b}")]);
        check("cuda:0", Some("GPU-b"), &[&format!("cuda:0 is {b}")]);
        check("cuda:0", Some("MIG-1"), &[]);
        check("cpu", None, &[]);
        check("cuda:7", None, &[]);
    }
}
