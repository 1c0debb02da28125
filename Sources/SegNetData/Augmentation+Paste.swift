import SegNetPlatform

extension BatchQueue {
    /// The example from which something is pasted into the one at a place: any picture of the pool, by the shares of its sources, changed
    /// as the others are. Nil if nothing is pasted.
    func donor(at place: Int, _ random: inout RandomNumbers) throws -> Example? {
        guard augmentation.paste > 0, random.uniform() < augmentation.paste else { return nil }
        let (source, index) = (random.uniform(), random.uniform())
        guard let item = pool.item(at: place, source: source, index: index) else { return nil }
        return augmentation.apply(try cache.example(item) { try pool.example(item) }, random: &random)
    }
}

extension Example {
    /// Takes the pixels that show some classes, and their labels, from an example of the same size and channels; from others nothing.
    mutating func paste(_ classes: Set<UInt16>, from other: Example) {
        guard (other.width, other.height, other.channels, other.planes.count) == (width, height, channels, planes.count)
        else { return }
        for pixel in labels.indices where classes.contains(other.labels[pixel]) {
            labels[pixel] = other.labels[pixel]
            for c in pixel * channels..<(pixel + 1) * channels { pixels[c] = other.pixels[c] }
            for plane in planes.indices { planes[plane][pixel] = other.planes[plane][pixel] }
        }
    }
}
