//! Where images are not background. Four fifths of MNIST's pixels are 0, so a first layer that visits only the others
//! has a fifth of the work, whatever number the background stands for.

/// The pixels of images that are not 0. An image is cut into bands of [`Ink::BAND`] pixels; the weights of one band
/// stay in the fastest cache while a whole batch passes by.
#[derive(Debug)]
pub struct Ink {
    /// Bands in an image.
    n_bands: usize,
    /// Where the pixels of each band begin: image by image, band by band.
    starts: Vec<usize>,
    /// Where in its band, and its value.
    pixels: Vec<(u8, u8)>,
}

impl Ink {
    /// Pixels to a band; the last one of an image may be shorter.
    pub const BAND: usize = 64;

    pub(super) fn new(pixels: &[u8], image_len: usize) -> Self {
        let mut ink = Self {
            n_bands: image_len.div_ceil(Self::BAND),
            starts: Vec::with_capacity(pixels.len() / Self::BAND + 1),
            pixels: Vec::with_capacity(pixels.len() / 4),
        };
        for band in pixels.chunks_exact(image_len).flat_map(|image| image.chunks(Self::BAND)) {
            ink.starts.push(ink.pixels.len());
            for (group, eight) in band.chunks(8).enumerate() {
                // Most groups are empty; the compiler makes one comparison of this.
                if eight.iter().fold(0, |any, &pixel| any | pixel) == 0 {
                    continue;
                }
                let inked = eight.iter().enumerate().filter(|&(_, &pixel)| pixel != 0);
                ink.pixels.extend(inked.map(|(at, &pixel)| ((8 * group + at) as u8, pixel)));
            }
        }
        ink.starts.push(ink.pixels.len());
        ink
    }

    /// Where an image's bands begin and the last ends, and all its pixels.
    pub(super) fn image(&self, image: usize) -> (&[usize], &[(u8, u8)]) {
        let starts = &self.starts[image * self.n_bands..=(image + 1) * self.n_bands];
        (starts, &self.pixels[starts[0]..starts[self.n_bands]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_with_ink_has_its_place() {
        let (image_len, n) = (Ink::BAND + 9, 3);
        let pixels: Vec<u8> = (0..n * image_len).map(|at| [0, 0, 7, 0, 255][at * at % 5]).collect();
        let ink = Ink::new(&pixels, image_len);
        let mut again = vec![0; pixels.len()];
        for image in 0..n {
            let (starts, inked) = ink.image(image);
            for (index, &(place, pixel)) in inked.iter().enumerate() {
                let band = usize::from(starts[1] <= starts[0] + index);
                again[image * image_len + band * Ink::BAND + usize::from(place)] = pixel;
            }
        }
        assert_eq!(again, pixels);
        assert_eq!(ink.pixels.len(), pixels.iter().filter(|&&pixel| pixel != 0).count());
    }
}
