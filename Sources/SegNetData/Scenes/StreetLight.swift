internal import SegNetPlatform

/// Under which light a street lies: hour, sun, clouds, air, and whether it has rained.
struct StreetLight {
    /// The camera's value of white: the hour's colour and the exposure.
    var gain: Paint
    /// The sky at its top, and what the air shows of it at a distance.
    var zenith: Paint
    var haze: Paint
    /// At so many metres three quarters of a colour are lost to the air.
    var sight: Double
    /// 0: a few, 1: a closed cover.
    var clouds: Double
    /// How dark shadows are: 0 under clouds.
    var shade: Double
    /// Metres that a shadow falls to the right for each metre of height; below 0 to the left.
    var castAcross: Double
    /// Metres that it falls away from the camera for each metre of height.
    var castAlong: Double
    /// How much the road mirrors: 0 when it is dry.
    var wetness: Double
    /// Whether rooms and lamps are lit.
    var isDusk: Bool
    /// Sunlit walls, and those that the sun does not reach.
    var sunny: Double
    var shady: Double

    var sunFromLeft: Bool { castAcross > 0 }

    init(_ random: inout RandomNumbers) {
        // Read the same number of times whatever the weather.
        let (kind, side, height) = (random.uniform(), random.uniform(), random.uniform())
        let (warmth, cover, rain, air) = (random.uniform(), random.uniform(), random.uniform(), random.uniform())
        castAlong = random.uniform(in: -0.7...0.9)
        gain = Paint(1, 1, 1)
        zenith = Paint(0.36, 0.55, 0.80)
        haze = Paint(0.72 + 0.10 * warmth, 0.76 + 0.03 * warmth, 0.80 - 0.06 * warmth)
        sight = 130 + 110 * air
        clouds = 0.25 + 0.45 * cover
        (shade, wetness, isDusk) = (0.46, 0, false)
        (sunny, shady) = (1.06, 0.68)
        // The cotangent of the sun's height: 32 to 60 degrees.
        var length = 0.58 + 1.0 * height
        switch kind {
        case ..<0.36:  // Day.
            gain = Paint(1 + 0.03 * warmth, 1, 1.02 - 0.05 * warmth).lit(0.97 + 0.08 * air)
        case ..<0.54:  // A low sun: long shadows, gold light, a pale sky.
            length = 1.7 + 1.8 * height
            gain = Paint(1.15 + 0.05 * warmth, 1.05, 0.92 - 0.06 * warmth)
            zenith = Paint(0.42, 0.55, 0.74)
            haze = Paint(0.90, 0.80, 0.66)
            shade = 0.40
            (sunny, shady) = (1.14, 0.60)
        case ..<0.82:  // A closed cover, dry or wet.
            clouds = 0.95 + 0.3 * cover
            gain = Paint(0.95, 0.98, 1.01).lit(0.90 + 0.12 * air)
            zenith = Paint(0.66, 0.70, 0.75).lit(0.9 + 0.2 * warmth)
            haze = Paint(0.80, 0.82, 0.84)
            shade = 0
            (sunny, shady) = (0.93, 0.84)
            wetness = rain < 0.4 ? 0.5 + 0.5 * height : 0
        case ..<0.91:  // Mist.
            sight = 45 + 35 * air
            clouds = 1.1
            gain = Paint(0.99, 1, 1.02)
            zenith = Paint(0.76, 0.79, 0.82)
            haze = Paint(0.80, 0.82, 0.84)
            shade = 0
            (sunny, shady) = (0.92, 0.86)
            wetness = rain < 0.3 ? 0.5 : 0
        default:  // Dusk.
            gain = Paint(0.66, 0.68, 0.84).lit(0.95 + 0.15 * air)
            zenith = Paint(0.30, 0.38, 0.62)
            haze = Paint(0.86, 0.74, 0.68)
            shade = 0
            isDusk = true
            (sunny, shady) = (0.86, 0.74)
            wetness = rain < 0.35 ? 0.8 : 0
        }
        castAcross = side < 0.5 ? length : -length
    }
}
