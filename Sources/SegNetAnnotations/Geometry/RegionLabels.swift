import SegNetImages

/// For each pixel, the number of the connected region to which it belongs. A margin of one pixel around the picture belongs to none.
struct RegionLabels {
    let width: Int
    let height: Int
    /// Region numbers [height + 2, width + 2], from 0 in the order of their first pixels; -1 in the margin.
    let numbers: [Int32]
    /// The class of each region.
    let classIDs: [UInt16]
    /// The pixels of each region.
    let pixelCounts: [Int]

    /// Numbers in a row.
    var stride: Int { width + 2 }

    init(_ map: LabelMap) {
        (width, height) = (map.width, map.height)
        let stride = map.width + 2
        var numbers = [Int32](repeating: -1, count: stride * (map.height + 2))
        // Provisional numbers; each leads to another of the same region, or to itself.
        var leads: [Int32] = []
        func root(_ number: Int32) -> Int32 {
            var number = number
            while leads[Int(number)] != number {
                leads[Int(number)] = leads[Int(leads[Int(number)])]
                number = leads[Int(number)]
            }
            return number
        }
        let (width, ids) = (map.width, map.ids)
        for y in 0..<map.height {
            for x in 0..<width {
                let id = ids[y * width + x]
                let at = (y + 1) * stride + x + 1
                let isLeft = x > 0 && ids[y * width + x - 1] == id
                let isAbove = y > 0 && ids[(y - 1) * width + x] == id
                switch (isLeft, isAbove) {
                case (false, false):
                    numbers[at] = Int32(leads.count)
                    leads.append(Int32(leads.count))
                case (true, false): numbers[at] = numbers[at - 1]
                case (false, true): numbers[at] = numbers[at - stride]
                case (true, true):
                    let (left, above) = (numbers[at - 1], numbers[at - stride])
                    if left != above {
                        let (one, other) = (root(left), root(above))
                        leads[Int(max(one, other))] = min(one, other)
                    }
                    numbers[at] = above
                }
            }
        }
        var final = [Int32](repeating: -1, count: leads.count)
        var classIDs: [UInt16] = []
        var pixelCounts: [Int] = []
        for y in 0..<map.height {
            for x in 0..<width {
                let at = (y + 1) * stride + x + 1
                let root = Int(root(numbers[at]))
                if final[root] < 0 {
                    final[root] = Int32(classIDs.count)
                    classIDs.append(ids[y * width + x])
                    pixelCounts.append(0)
                }
                numbers[at] = final[root]
                pixelCounts[Int(final[root])] += 1
            }
        }
        (self.numbers, self.classIDs, self.pixelCounts) = (numbers, classIDs, pixelCounts)
    }
}
