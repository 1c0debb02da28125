import Foundation
import SegNetImages

/// A dense CRF's filters and mean field by their definitions, in float64.
enum Reference {
    /// Rows of K numbers, one row per pixel, through one kernel.
    typealias Filter = ([[Double]]) -> [[Double]]

    /// The features of all pixels, divided by their deviations in float32, as the program does.
    static func features(_ picture: Image, position: Double, color: Double?) -> [[Double]] {
        (0..<picture.width * picture.height).map { pixel in
            let (y, x) = pixel.quotientAndRemainder(dividingBy: picture.width)
            let place = [Float(x) / Float(position), Float(y) / Float(position)]
            let colors = color.map { sigma in
                (0..<3).map { channel in
                    Float(picture[x: x, y: y, channel: picture.channels < 3 ? 0 : channel]) / Float(sigma)
                }
            }
            return (place + (colors ?? [])).map(Double.init)
        }
    }

    /// The exact sums over all pixels.
    static func exact(_ features: [[Double]]) -> Filter {
        { rows in
            features.map { here in
                var sum = [Double](repeating: 0, count: rows[0].count)
                for (there, row) in zip(features, rows) {
                    let distance = zip(here, there).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                    let weight = exp(-distance / 2)
                    for k in sum.indices { sum[k] += weight * row[k] }
                }
                return sum
            }
        }
    }

    /// The corners of a pixel's simplex: keys with their barycentric weights.
    static func corners(_ feature: [Double]) -> [(key: [Int], weight: Double)] {
        let d = feature.count
        let scaled = feature.enumerated().map { i, f in
            Float(f) * Float((2.0 / 3).squareRoot() * Double(d + 1) / Double((i + 1) * (i + 2)).squareRoot())
        }
        // In float32: on which side of a tie a pixel falls is part of the result.
        var elevated = [Float](repeating: 0, count: d + 1)
        var sum: Float = 0
        for j in stride(from: d, to: 0, by: -1) {
            elevated[j] = sum - Float(j) * scaled[j - 1]
            sum += scaled[j - 1]
        }
        elevated[0] = sum
        var nearest = elevated.map { Int(($0 * (1 / Float(d + 1))).rounded(.toNearestOrEven)) * (d + 1) }
        let total = nearest.reduce(0, +) / (d + 1)
        var rank = (0...d).map { i in
            (0...d).count { j in
                let (a, b) = (elevated[i] - Float(nearest[i]), elevated[j] - Float(nearest[j]))
                return j > i ? a < b : j < i && b >= a
            }
        }
        for i in 0...d {
            rank[i] += total
            let step = rank[i] < 0 ? d + 1 : rank[i] > d ? -d - 1 : 0
            rank[i] += step
            nearest[i] += step
        }
        var barycentric = [Double](repeating: 0, count: d + 2)
        for i in 0...d {
            let v = (Double(elevated[i]) - Double(nearest[i])) / Double(d + 1)
            barycentric[d - rank[i]] += v
            barycentric[d + 1 - rank[i]] -= v
        }
        barycentric[0] += 1 + barycentric[d + 1]
        return (0...d).map { q in
            (key: (0...d).map { nearest[$0] + (rank[$0] <= d - q ? q : q - d - 1) }, weight: barycentric[q])
        }
    }

    /// The sums as a permutohedral lattice has them: splat, blur along each axis, slice.
    static func lattice(_ features: [[Double]]) -> Filter {
        let d = features[0].count
        let corners = features.map(corners)
        var numbers: [[Int]: Int] = [:]
        var keys: [[Int]] = []
        for corner in corners.joined() where numbers[corner.key] == nil {
            numbers[corner.key] = keys.count
            keys.append(corner.key)
        }
        return { rows in
            let count = rows[0].count
            var points = [[Double]](repeating: [Double](repeating: 0, count: count), count: keys.count)
            for (pixel, row) in zip(corners, rows) {
                for corner in pixel {
                    guard let point = numbers[corner.key] else { continue }
                    for k in 0..<count { points[point][k] += corner.weight * row[k] }
                }
            }
            for axis in 0...d {
                points = keys.indices.map { point in
                    let neighbours = [1, -1].compactMap { sign in
                        numbers[keys[point].enumerated().map { $1 + ($0 == axis ? -d * sign : sign) }]
                    }
                    return (0..<count).map { k in
                        neighbours.reduce(points[point][k]) { $0 + points[$1][k] / 2 }
                    }
                }
            }
            let scale = 1 / (1 + 1 / Double(1 << d))
            return corners.map { pixel in
                (0..<count).map { k in
                    pixel.reduce(0) { $0 + $1.weight * (numbers[$1.key].map { points[$0][k] } ?? 0) } * scale
                }
            }
        }
    }

    /// Mean field with both kernels. probabilities: [pixels][K].
    static func refine(
        _ probabilities: [[Double]],
        filters: [(weight: Double, filter: Filter)],
        isSymmetric: Bool,
        iterations: Int
    ) -> [[Double]] {
        let ones = [[Double]](repeating: [1], count: probabilities.count)
        let sums = filters.map { $0.filter(ones).map { $0[0] + 1e-20 } }
        let logs = probabilities.map { $0.map { log($0) } }
        var marginals = logs.map(softmax)
        for _ in 0..<iterations {
            var scores = logs
            for ((weight, filter), n) in zip(filters, sums) {
                let source =
                    isSymmetric ? zip(marginals, n).map { row, n in row.map { $0 / n.squareRoot() } } : marginals
                for (pixel, row) in filter(source).enumerated() {
                    let divisor = isSymmetric ? n[pixel].squareRoot() : n[pixel]
                    for k in row.indices { scores[pixel][k] += weight * row[k] / divisor }
                }
            }
            marginals = scores.map(softmax)
        }
        return marginals
    }

    static func softmax(_ scores: [Double]) -> [Double] {
        let greatest = scores.max() ?? 0
        let terms = scores.map { exp($0 - greatest) }
        let sum = terms.reduce(0, +)
        return terms.map { $0 / sum }
    }
}
