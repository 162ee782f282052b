//! From the complete ridges to the picture one touch leaves on a sensor.
//!
//! Owns the model of skin on glass: where the pad touches, how it stretches, how thick the ridges
//! are, how they break or merge, what the sensor adds. Called by [`super::Finger::impression`].

#![expect(
    clippy::arithmetic_side_effects,
    reason = "sides are clamped to 64..=1024 pixels and the lattice cell is a constant above 0"
)]

use super::contact::Contact;
use super::random::Random;
use crate::image::{DPI_MAX, DPI_MIN, Image, SIDE_MAX_PX, SIDE_MIN_PX, WORKING_DPI};
use crate::plane::Plane;

/// Pixels per millimetre at 500 dpi.
const PX_PER_MM: f32 = 19.685;
/// Grey of the empty window.
const GLASS: f32 = 232.0;

/// A seeded smooth field: values on a lattice, interpolated between.
struct Lattice {
    plane: Plane,
    cell: f32,
}

impl Lattice {
    fn draw(random: &mut Random, w: usize, h: usize, cell: usize) -> Self {
        let mut plane = Plane::filled(w / cell + 3, h / cell + 3, 0.0);
        plane.data.iter_mut().for_each(|v| *v = random.bell());
        Self {
            plane,
            cell: cell as f32,
        }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        self.plane.bilinear(x / self.cell, y / self.cell)
    }
}

/// Everything about one touch that does not change from pixel to pixel.
struct Touch {
    sin: f32,
    cos: f32,
    shift: (f32, f32),
    core: (f32, f32),
    stretch: [f32; 4],
    /// Half axes of the ellipse that touches, pixels of the pad.
    axes: (f32, f32),
    /// Added to the ridge height: above 0 ridges are thick, below thin.
    lift: f32,
    /// How sharply ink changes at a ridge's edge.
    edge: f32,
    /// Share of the full blackness.
    ink: f32,
    /// How much the skin's speckle breaks ridges.
    speckle: f32,
    /// Smear between ridges.
    smear: f32,
}

impl Touch {
    fn new(contact: &Contact, core: (f32, f32), random: &mut Random) -> Self {
        let (sin, cos) = contact.rotation_deg.to_radians().sin_cos();
        let pressure = contact.pressure.clamp(0.0, 1.0);
        let moisture = contact.moisture.clamp(0.0, 1.0);
        let coverage = contact.coverage.clamp(0.02, 1.0).sqrt();
        let force = 0.62 + 0.52 * pressure.sqrt();
        let d = contact.distortion.clamp(0.0, 1.0);
        let wet = (moisture - 0.72).max(0.0) / 0.28;
        let dry = (0.34 - moisture).max(0.0) / 0.34;
        let faint = (0.30 - pressure).max(0.0) / 0.30;
        let crushed = (pressure - 0.72).max(0.0) / 0.28;
        Self {
            sin,
            cos,
            shift: (
                contact.dx_mm.clamp(-15.0, 15.0) * PX_PER_MM,
                contact.dy_mm.clamp(-15.0, 15.0) * PX_PER_MM,
            ),
            core,
            stretch: [
                0.06 * d * random.bell(),
                0.06 * d * random.bell(),
                0.000_35 * d * random.bell(),
                0.000_35 * d * random.bell(),
            ],
            axes: (165.0 * force * coverage, 215.0 * force * coverage),
            lift: 1.1 * (pressure - 0.5) + 0.5 * (moisture - 0.5) + 0.38 * crushed + 0.55 * wet
                - 0.45 * dry,
            edge: 3.0,
            ink: (1.0 - 0.85 * faint - 0.35 * dry).max(0.12),
            speckle: 0.22 + 1.3 * dry + 0.6 * faint,
            smear: wet,
        }
    }

    /// Where on the pad the point (x, y) of the window, measured from its middle, lies.
    fn on_pad(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x - self.shift.0, y - self.shift.1);
        let (u, v) = (x * self.cos + y * self.sin, -x * self.sin + y * self.cos);
        let [shear, scale, bend_u, bend_v] = self.stretch;
        (
            u + shear * v + bend_u * u * v + self.core.0,
            v + scale * v + bend_v * u * u + self.core.1 + 25.0,
        )
    }
}

/// The picture of one touch.
pub fn press(ridges: &Plane, core: (f32, f32), contact: &Contact) -> Image {
    let width = contact.sensor.width.clamp(SIDE_MIN_PX, SIDE_MAX_PX);
    let height = contact.sensor.height.clamp(SIDE_MIN_PX, SIDE_MAX_PX);
    let longest = u32::from(width.max(height)) * u32::from(WORKING_DPI);
    let dpi_needed = (longest.div_ceil(u32::from(SIDE_MAX_PX))) as u16;
    let dpi = contact.sensor.dpi.clamp(DPI_MIN.max(dpi_needed), DPI_MAX);
    let (w, h) = (usize::from(width), usize::from(height));
    let mut random = Random::new(contact.noise_seed ^ 0x7072_6573_7300);
    let touch = Touch::new(contact, core, &mut random);
    let pad = (ridges.w, ridges.h);
    let speckle = Lattice::draw(&mut random, pad.0, pad.1, 3);
    let patches = Lattice::draw(&mut random, pad.0, pad.1, 40);
    let rim = Lattice::draw(&mut random, pad.0, pad.1, 30);
    let scale = f32::from(WORKING_DPI) / f32::from(dpi);
    let grain = 14.0 * contact.noise.clamp(0.0, 1.0);
    let mut pixels = Vec::with_capacity(w * h);
    for y in 0..h {
        for x in 0..w {
            let from_middle = (
                (x as f32 - w as f32 / 2.0) * scale,
                (y as f32 - h as f32 / 2.0) * scale,
            );
            let (px, py) = touch.on_pad(from_middle.0, from_middle.1);
            let inside = inside_pad(&touch, px, py, pad, &rim);
            let mut grey = GLASS;
            if inside > 0.0 {
                let texture = speckle.at(px, py);
                let patch = patches.at(px, py);
                let height = ridges.bilinear(px, py) + touch.lift + 0.12 * patch
                    - touch.speckle * texture.abs().mul_add(1.0, 0.25 * texture);
                let ink = 0.5 + 0.5 * (touch.edge * height * 0.7).tanh();
                let ink = ink * (1.0 - 0.45 * touch.smear) + 0.62 * touch.smear;
                let tone = (175.0 + 10.0 * patch) * touch.ink;
                grey = GLASS - tone * ink.min(1.0) * inside;
            }
            grey += grain * random.bell();
            pixels.push(grey.clamp(0.0, 255.0) as u8);
        }
    }
    Image::within_limits(width, height, dpi, pixels)
}

/// 1 well inside the touching ellipse, 0 outside, soft in between.
fn inside_pad(touch: &Touch, x: f32, y: f32, pad: (usize, usize), rim: &Lattice) -> f32 {
    if x < 1.0 || y < 1.0 || x > (pad.0 - 2) as f32 || y > (pad.1 - 2) as f32 {
        return 0.0;
    }
    let ex = (x - touch.core.0) / touch.axes.0;
    let ey = (y - touch.core.1 - 30.0) / touch.axes.1;
    let out = (ex * ex + ey * ey).sqrt() + 0.03 * rim.at(x, y);
    ((1.0 - out) * 14.0).clamp(0.0, 1.0)
}
