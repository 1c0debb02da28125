internal import SegNetImages

/// The boundary F1 score (BF): how well outlines match, which pixel counts do not show.
///
/// Per picture and class the boundary pixels of prediction and truth are matched within 0.75 % of the picture's diagonal; F1 is the
/// harmonic mean of the matched fractions; a picture's score is the mean over its classes, BF the mean over pictures.
/// Source: Csurka et al. 2013; docs/segnet.md, Scores, whose steps the rules follow.
public struct BoundaryScore: Sendable, Hashable {
    /// How boundaries are matched and what counts.
    public enum Rule: String, Sendable, CaseIterable, Codable {
        /// Each pixel is matched with at most one other. Boundaries that touch pixels without ground truth are left out; classes with a
        /// boundary in the truth count; pictures that have any count.
        case oneToOne = "one-to-one"
        /// The original's script, steps 1 to 6: at 480x360, void is a region like any other, a falsely predicted class
        /// counts as 0, a picture in which nothing counts adds 0.
        case original
        /// As `one-to-one`, but a pixel is matched if any pixel of the other boundary is near enough: the usual form,
        /// which is more lenient.
        case distance
    }

    public let rule: Rule
    public let classCount: Int
    /// The classes whose outlines are compared.
    public let classes: [Int]
    private var sum = 0.0
    private var pictures = 0

    /// - Parameter classes: Those that count, where the labels can name these only; nil: all.
    public init(rule: Rule = .oneToOne, classCount: Int, classes: [Int]? = nil) {
        self.rule = rule
        self.classCount = classCount
        self.classes = classes ?? Array(0..<classCount)
    }

    /// The mean over the pictures so far; nil if none counts.
    public var value: Double? { pictures > 0 ? sum / Double(pictures) : nil }

    /// Adds a picture: class ids [height, width] of both, truth not below K where there is none.
    /// - Returns: The picture's score; nil if none of its classes counts.
    @discardableResult
    public mutating func add(truth: [UInt16], prediction: [UInt16], width: Int, height: Int) -> Double? {
        precondition(truth.count == width * height && prediction.count == truth.count)
        let own: Double?
        if rule == .original {
            let t = resizedNearest(truth, width: width, height: height, toWidth: 480, height: 360)
            let p = resizedNearest(prediction, width: width, height: height, toWidth: 480, height: 360)
            own = score(t, p, 480, 360)
        } else {
            own = score(truth, prediction, width, height)
        }
        // By the original's rule, a picture in which nothing counts adds 0.
        if own != nil || rule == .original {
            sum += own ?? 0
            pictures += 1
        }
        return own
    }

    /// The mean of the classes' F1; nil if no class counts.
    private func score(_ truth: [UInt16], _ prediction: [UInt16], _ width: Int, _ height: Int) -> Double? {
        let tolerance = 0.0075 * (Double(width * width + height * height)).squareRoot()
        let k = classCount
        let isVoid: [Bool]? = rule == .original ? nil : truth.map { Int($0) >= k }
        let trueBoundaries = Self.boundaries(truth, classCount: k, width, height, void: isVoid)
        let givenBoundaries = Self.boundaries(prediction, classCount: k, width, height, void: isVoid)
        var total = 0.0
        var counted = 0
        for id in classes {
            let (real, given) = (trueBoundaries[id], givenBoundaries[id])
            if real.isEmpty && (rule != .original || given.isEmpty) { continue }
            counted += 1
            guard !real.isEmpty, !given.isEmpty else { continue }
            let (precise, recalled): (Int, Int)
            if rule == .distance {
                precise = Self.near(given, real, tolerance, width, height)
                recalled = Self.near(real, given, tolerance, width, height)
            } else {
                precise = BoundaryMatching(given, real, tolerance: tolerance, width: width, height: height).count
                recalled = precise
            }
            let precision = Double(precise) / Double(given.count)
            let recall = Double(recalled) / Double(real.count)
            if precision + recall > 0 { total += 2 * precision * recall / (precision + recall) }
        }
        return counted > 0 ? total / Double(counted) : nil
    }

    /// Boundary pixels of each class: those whose 2x2 block to the lower right, clamped at the edge, is not all in or all out of the
    /// class. (The original's `seg2bdry`.) Blocks that touch `void` are left out.
    static func boundaries(_ ids: [UInt16], classCount: Int, _ width: Int, _ height: Int, void: [Bool]?) -> [[Int]] {
        var result = [[Int]](repeating: [], count: classCount)
        for y in 0..<height {
            let below = min(y + 1, height - 1) * width
            for x in 0..<width {
                let right = min(x + 1, width - 1)
                let places = (y * width + x, y * width + right, below + x, below + right)
                let (a, b, c, d) = (ids[places.0], ids[places.1], ids[places.2], ids[places.3])
                if a == b && a == c && a == d { continue }
                if let void, void[places.0] || void[places.1] || void[places.2] || void[places.3] { continue }
                // Each class of the block has a boundary here.
                if Int(a) < classCount { result[Int(a)].append(places.0) }
                if Int(b) < classCount, b != a { result[Int(b)].append(places.0) }
                if Int(c) < classCount, c != a, c != b { result[Int(c)].append(places.0) }
                if Int(d) < classCount, d != a, d != b, d != c { result[Int(d)].append(places.0) }
            }
        }
        return result
    }

    /// How many of `pixels` have one of `others` within the tolerance.
    private static func near(_ pixels: [Int], _ others: [Int], _ tolerance: Double, _ width: Int, _ height: Int) -> Int
    {
        var isThere = [Bool](repeating: false, count: width * height)
        for place in others { isThere[place] = true }
        let offsets = BoundaryMatching.offsets(within: tolerance)
        return pixels.count { place in
            let (y, x) = place.quotientAndRemainder(dividingBy: width)
            return offsets.contains { dy, dx in
                let (row, column) = (y + dy, x + dx)
                return row >= 0 && row < height && column >= 0 && column < width && isThere[row * width + column]
            }
        }
    }
}

/// The largest one-to-one matching of two sets of pixels, partners at most a tolerance apart: Hopcroft and Karp's algorithm on the grid.
///
/// The original minimises a cost in which an unmatched pixel weighs 100 times the tolerance; there, too, only the
/// number of matches matters.
struct BoundaryMatching {
    /// The number of pairs.
    let count: Int

    /// (dy, dx) with dy^2 + dx^2 <= tolerance^2, nearest first.
    static func offsets(within tolerance: Double) -> [(Int, Int)] {
        let reach = Int(tolerance)
        var offsets: [(Int, Int)] = []
        for dy in -reach...reach {
            for dx in -reach...reach where Double(dy * dy + dx * dx) <= tolerance * tolerance {
                offsets.append((dy, dx))
            }
        }
        return offsets.sorted { ($0.0 * $0.0 + $0.1 * $0.1, $0.0, $0.1) < ($1.0 * $1.0 + $1.1 * $1.1, $1.0, $1.1) }
    }

    /// The right pixels near each left one, nearest first, one list behind the other; where each list starts, and the last one's end.
    private static func neighbours(
        of left: [Int],
        in right: [Int],
        _ tolerance: Double,
        _ width: Int,
        _ height: Int
    ) -> (all: [Int32], starts: [Int]) {
        var rightAt = [Int32](repeating: -1, count: width * height)
        for (index, place) in right.enumerated() { rightAt[place] = Int32(index) }
        let offsets = offsets(within: tolerance)
        var starts: [Int] = [0]
        var neighbours: [Int32] = []
        for place in left {
            let (y, x) = place.quotientAndRemainder(dividingBy: width)
            for (dy, dx) in offsets {
                let (row, column) = (y + dy, x + dx)
                guard row >= 0, row < height, column >= 0, column < width else { continue }
                let index = rightAt[row * width + column]
                if index >= 0 { neighbours.append(index) }
            }
            starts.append(neighbours.count)
        }
        return (neighbours, starts)
    }

    init(_ left: [Int], _ right: [Int], tolerance: Double, width: Int, height: Int) {
        let (neighbours, starts) = Self.neighbours(of: left, in: right, tolerance, width, height)
        var partnerOfLeft = [Int32](repeating: -1, count: left.count)
        var partnerOfRight = [Int32](repeating: -1, count: right.count)
        var pairs = 0
        // Nearest free partners first: most pairs are found here.
        for l in left.indices {
            for r in neighbours[starts[l]..<starts[l + 1]] where partnerOfRight[Int(r)] < 0 {
                (partnerOfLeft[l], partnerOfRight[Int(r)]) = (r, Int32(l))
                pairs += 1
                break
            }
        }
        var level = [Int32](repeating: -1, count: left.count)
        var next = [Int](repeating: 0, count: left.count)
        while true {
            // Breadth first from all free left pixels: layers of alternating paths.
            var queue: [Int] = []
            for l in left.indices {
                level[l] = partnerOfLeft[l] < 0 ? 0 : -1
                if partnerOfLeft[l] < 0 { queue.append(l) }
                next[l] = starts[l]
            }
            var reachesFree = false
            var head = 0
            while head < queue.count {
                let l = queue[head]
                head += 1
                for r in neighbours[starts[l]..<starts[l + 1]] {
                    let other = partnerOfRight[Int(r)]
                    if other < 0 {
                        reachesFree = true
                    } else if level[Int(other)] < 0 {
                        level[Int(other)] = level[l] + 1
                        queue.append(Int(other))
                    }
                }
            }
            guard reachesFree else { break }
            // Depth first along the layers, without recursion: paths may be long.
            for root in left.indices where partnerOfLeft[root] < 0 {
                var path = [root]
                var edges: [Int32] = []
                while let l = path.last {
                    guard next[l] < starts[l + 1] else {
                        level[l] = -1
                        path.removeLast()
                        if !edges.isEmpty { edges.removeLast() }
                        continue
                    }
                    let r = neighbours[next[l]]
                    next[l] += 1
                    let other = partnerOfRight[Int(r)]
                    if other < 0 {
                        edges.append(r)
                        for (l, r) in zip(path, edges) { (partnerOfLeft[l], partnerOfRight[Int(r)]) = (r, Int32(l)) }
                        pairs += 1
                        break
                    }
                    if level[Int(other)] == level[l] + 1 {
                        edges.append(r)
                        path.append(Int(other))
                    }
                }
            }
        }
        count = pairs
    }
}
