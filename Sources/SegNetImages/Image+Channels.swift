extension Image {
    /// The picture with three channels: gray is repeated, alpha is dropped (as OpenCV and Pillow do), not blended.
    public func rgb() -> Image {
        switch channels {
        case 3: return self
        case 1:
            return mapped(to: 3) { source, target in
                (target[0], target[1], target[2]) = (source[0], source[0], source[0])
            }
        default:
            return mapped(to: 3) { source, target in
                (target[0], target[1], target[2]) = (source[0], source[1], source[2])
            }
        }
    }

    /// The picture with one channel: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded. Alpha is dropped.
    public func gray() -> Image {
        if channels == 1 { return self }
        return mapped(to: 1) { source, target in
            // The weights in 14 bits; they add up to 16384, so that white stays white.
            let sum = 4899 * UInt32(source[0]) + 9617 * UInt32(source[1]) + 1868 * UInt32(source[2])
            target[0] = UInt8(truncatingIfNeeded: (sum + 8192) >> 14)
        }
    }

    private func mapped(
        to newChannels: Int,
        _ convert: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
    ) -> Image {
        let count = width * height
        let result = [UInt8](unsafeUninitializedCapacity: count * newChannels) { target, initialized in
            pixels.withUnsafeBufferPointer { source in
                if var from = source.baseAddress, var to = target.baseAddress {
                    for _ in 0..<count {
                        convert(from, to)
                        from += channels
                        to += newChannels
                    }
                }
            }
            initialized = count * newChannels
        }
        return Image(uncheckedWidth: width, height: height, channels: newChannels, pixels: result)
    }
}
