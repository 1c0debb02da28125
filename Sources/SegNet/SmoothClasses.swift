import SegNetImages

/// Class ids at another size from class probabilities: these are interpolated and the highest is taken there. A border between two classes
/// then runs where both are equally probable, instead of along the network's pixels. Needs two rows of each class, whatever the size.
struct SmoothClasses {
    let classCount: Int
    /// The size of the probabilities.
    let width: Int
    let height: Int

    /// - Parameters:
    ///   - probabilities: [K, H, W]
    ///   - newWidth, newHeight: Bilinear with pixel centres at half coordinates, as pictures are resized.
    /// - Returns: [newHeight, newWidth]; of equal probabilities the highest id.
    func ids(_ probabilities: [Float], width newWidth: Int, height newHeight: Int) -> [UInt16] {
        let columns = bilinearAxis(from: width, to: newWidth).map { ($0.first, $0.second, Float($0.weight)) }
        let rows = bilinearAxis(from: height, to: newHeight).map { ($0.first, $0.second, Float($0.weight)) }
        var ids = [UInt16](repeating: 0, count: newWidth * newHeight)
        var line = [Float](repeating: 0, count: width)
        var best = [Float](repeating: 0, count: newWidth)
        ids.withUnsafeMutableBufferPointer { ids in
            probabilities.withUnsafeBufferPointer { probabilities in
                line.withUnsafeMutableBufferPointer { line in
                    best.withUnsafeMutableBufferPointer { best in
                        columns.withUnsafeBufferPointer { columns in
                            for y in 0..<newHeight {
                                best.update(repeating: 0)
                                let (first, second, rowWeight) = rows[y]
                                for id in 0..<classCount {
                                    let above = (id * height + first) * width
                                    let below = (id * height + second) * width
                                    for x in 0..<width {
                                        line[x] =
                                            probabilities[above + x]
                                            + (probabilities[below + x] - probabilities[above + x]) * rowWeight
                                    }
                                    let name = UInt16(truncatingIfNeeded: id)
                                    for x in 0..<newWidth {
                                        let (left, right, weight) = columns[x]
                                        let value = line[left] + (line[right] - line[left]) * weight
                                        if value >= best[x] {
                                            best[x] = value
                                            ids[y * newWidth + x] = name
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return ids
    }
}
