//! NVIDIA's GPUs, in a program that was built for them: with the feature `cuda`.

use candle_core::Device;

/// What their names begin with: `cuda:0`, in the driver's order.
pub const PREFIX: &str = "cuda:";

/// A GPU that was opened.
#[derive(Debug)]
pub struct Card {
    index: usize,
    device: Device,
    /// Of its processors: `sm_90`.
    architecture: String,
}

impl Card {
    /// The one with this number.
    pub fn open(index: usize) -> Result<Self, String> {
        let (device, architecture) = driver::open(index)?;
        Ok(Self { index, device, architecture })
    }

    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.index)
    }

    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Which one it is, whatever it is called here, and how much of its memory is taken, by whomever.
    pub fn describe(&self) -> String {
        let name = self.name();
        driver::describe(&self.device).map_or(name.clone(), |told| format!("{name} is {told}"))
    }
}

/// The names of those that can be opened.
pub fn names() -> Vec<String> {
    (0..driver::count()).map(|index| format!("{PREFIX}{index}")).collect()
}

#[cfg(feature = "cuda")]
mod driver {
    use std::fmt::Write;

    use candle_core::{Device, cuda::cudarc::driver::CudaContext};

    /// None where there is no driver that answers.
    pub(super) fn count() -> usize {
        CudaContext::device_count().ok().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    }

    pub(super) fn open(index: usize) -> Result<(Device, String), String> {
        let n = CudaContext::device_count()
            .map_err(|error| format!("the driver finds no GPU: {error}"))?;
        if !usize::try_from(n).is_ok_and(|n| index < n) {
            return Err(format!("the driver finds {n} GPUs, counted from 0"));
        }
        let cannot = |error: &dyn std::fmt::Display| format!("it does not open: {error}");
        let device = Device::new_cuda(index).map_err(|error| cannot(&error))?;
        let context = device.as_cuda_device().map_err(|error| cannot(&error))?.cuda_stream();
        let (major, minor) =
            context.context().compute_capability().map_err(|error| cannot(&error))?;
        Ok((device, format!("sm_{major}{minor}")))
    }

    /// `NVIDIA H100 80GB HBM3 (GPU-…), 512 of 81559 MiB of memory taken`.
    pub(super) fn describe(device: &Device) -> Option<String> {
        let stream = device.as_cuda_device().ok()?.cuda_stream();
        let context = stream.context();
        let (name, uuid) = (context.name().ok()?, context.uuid().ok()?);
        let mut text = format!("{name} (GPU");
        for (place, byte) in uuid.bytes.iter().enumerate() {
            // As nvidia-smi groups them.
            let dash = if [0, 4, 6, 8, 10].contains(&place) { "-" } else { "" };
            let _ = write!(text, "{dash}{:02x}", *byte as u8);
        }
        let (free, total) = context.mem_get_info().ok()?;
        let mebibytes = |bytes: usize| bytes >> 20;
        let (taken, total) = (mebibytes(total.saturating_sub(free)), mebibytes(total));
        Some(format!("{text}), {taken} of {total} MiB of memory taken"))
    }
}

#[cfg(not(feature = "cuda"))]
mod driver {
    use candle_core::Device;

    pub(super) const fn count() -> usize {
        0
    }

    pub(super) fn open(_: usize) -> Result<(Device, String), String> {
        Err("this program was built without CUDA: build one with `scripts/cuda-build`, and name it with `--worker` (docs/cuda.md)".to_owned())
    }

    pub(super) fn describe(_: &Device) -> Option<String> {
        None
    }
}
