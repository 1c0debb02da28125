import Foundation
import SegNetImages

@testable import SegNetRefinement

/// A picture with edges and noise, and probabilities that know only roughly where they are.
struct RefinementCase {
    var picture: Image
    /// [K, H, W]
    var probabilities: [Float]
    var classCount: Int

    init(width: Int, height: Int, classCount: Int, seed: UInt64 = 1, channels: Int = 3) throws {
        var random = SplitMix(state: seed)
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                let area = (x / 5 + 2 * (y / 4)) % 3
                for channel in 0..<channels {
                    pixels.append(UInt8(40 + 60 * ((area + channel) % 3)) + UInt8(random.next() % 9))
                }
            }
        }
        picture = try Image(width: width, height: height, channels: channels, pixels: pixels)
        self.classCount = classCount
        probabilities = (0..<classCount * width * height).map { _ in Float(random.next() % 1000 + 1) / 1000 }
        for y in 0..<height {
            for x in 0..<width {
                let area = (x / 5 + 2 * (y / 4)) % 3
                probabilities[(area % classCount * height + y) * width + x] += 1
            }
        }
    }

    /// [pixels][K] in float64
    var rows: [[Double]] {
        let pixels = picture.width * picture.height
        return (0..<pixels).map { pixel in (0..<classCount).map { Double(probabilities[$0 * pixels + pixel]) } }
    }

    func rows(of planes: [Float]) -> [[Double]] {
        var other = self
        other.probabilities = planes
        return other.rows
    }
}

struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// The greatest and the mean difference of numbers.
func differences(_ a: [[Double]], _ b: [[Double]]) -> (greatest: Double, mean: Double) {
    let all = zip(a.joined(), b.joined()).map { abs($0 - $1) }
    return (all.reduce(0) { $1 > $0 || $1.isNaN ? $1 : $0 }, all.reduce(0, +) / Double(max(all.count, 1)))
}
