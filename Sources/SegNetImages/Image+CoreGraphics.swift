#if canImport(CoreGraphics)
    public import CoreGraphics

    extension Image {
        /// The pixels of a `CGImage`, drawn in sRGB: gray where it has a gray colour space, RGBA where it has alpha, otherwise RGB.
        /// - Throws: `ImageError` if CoreGraphics cannot draw it.
        public init(_ image: CGImage) throws(ImageError) {
            let isGray = image.colorSpace?.model == .monochrome
            let isOpaque = [.none, .noneSkipFirst, .noneSkipLast].contains(image.alphaInfo)
            let (width, height, channels) = (image.width, image.height, isGray && isOpaque ? 1 : 4)
            var pixels = [UInt8](repeating: 0, count: width * height * channels)
            let isDrawn = pixels.withUnsafeMutableBytes { bytes in
                guard
                    let space = channels == 1
                        ? CGColorSpace(name: CGColorSpace.genericGrayGamma2_2) : CGColorSpace(name: CGColorSpace.sRGB),
                    let context = CGContext(
                        data: bytes.baseAddress,
                        width: width,
                        height: height,
                        bitsPerComponent: 8,
                        bytesPerRow: width * channels,
                        space: space,
                        bitmapInfo: (channels == 1 ? CGImageAlphaInfo.none : .premultipliedLast).rawValue
                    )
                else { return false }
                context.draw(image, in: CGRect(x: 0, y: 0, width: width, height: height))
                return true
            }
            guard isDrawn else {
                throw ImageError(nil, .impossibleShape(width: width, height: height, channels: channels, values: 0))
            }
            if channels == 4 {
                // CoreGraphics draws only with colours that are multiplied by alpha.
                for start in stride(from: 0, to: pixels.count, by: 4)
                where pixels[start + 3] > 0 && pixels[start + 3] < 255 {
                    let alpha = Int(pixels[start + 3])
                    for place in start..<start + 3 {
                        pixels[place] = UInt8(min(255, (Int(pixels[place]) * 255 + alpha / 2) / alpha))
                    }
                }
            }
            let drawn = try Image(width: width, height: height, channels: channels, pixels: pixels)
            self = channels == 4 && isOpaque ? drawn.rgb() : drawn
        }

        /// The picture as a `CGImage` in sRGB, or gray; nil if CoreGraphics refuses it.
        public func cgImage() -> CGImage? {
            let name = channels == 1 ? CGColorSpace.genericGrayGamma2_2 : CGColorSpace.sRGB
            guard let space = CGColorSpace(name: name),
                let bytes = pixels.withUnsafeBufferPointer({ CFDataCreate(nil, $0.baseAddress, $0.count) }),
                let provider = CGDataProvider(data: bytes)
            else { return nil }
            return CGImage(
                width: width,
                height: height,
                bitsPerComponent: 8,
                bitsPerPixel: 8 * channels,
                bytesPerRow: width * channels,
                space: space,
                bitmapInfo: CGBitmapInfo(rawValue: (channels == 4 ? CGImageAlphaInfo.last : .none).rawValue),
                provider: provider,
                decode: nil,
                shouldInterpolate: true,
                intent: .defaultIntent
            )
        }
    }
#endif

#if canImport(CoreVideo)
    public import CoreVideo

    extension Image {
        /// The pixels of a camera's buffer of the kind 32BGRA or one-component gray; the alpha of cameras means nothing and is dropped.
        /// - Throws: `ImageError` for other kinds: ask the camera for `kCVPixelFormatType_32BGRA`.
        public init(_ buffer: CVPixelBuffer) throws(ImageError) {
            let (width, height) = (CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer))
            let bytesPerPixel =
                switch CVPixelBufferGetPixelFormatType(buffer) {
                case kCVPixelFormatType_32BGRA: 4
                case kCVPixelFormatType_OneComponent8: 1
                default: 0
                }
            guard bytesPerPixel > 0, CVPixelBufferLockBaseAddress(buffer, .readOnly) == kCVReturnSuccess else {
                throw ImageError(
                    nil,
                    .impossibleShape(width: width, height: height, channels: bytesPerPixel, values: 0)
                )
            }
            defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
            let channels = bytesPerPixel == 4 ? 3 : 1
            let rowBytes = CVPixelBufferGetBytesPerRow(buffer)
            var pixels: [UInt8] = []
            pixels.reserveCapacity(width * height * channels)
            if let base = CVPixelBufferGetBaseAddress(buffer) {
                for y in 0..<height {
                    let row = UnsafeRawBufferPointer(start: base + y * rowBytes, count: width * bytesPerPixel)
                    for x in 0..<width {
                        for channel in 0..<channels { pixels.append(row[x * bytesPerPixel + channels - 1 - channel]) }
                    }
                }
            }
            try self.init(width: width, height: height, channels: channels, pixels: pixels)
        }

        /// The picture as a new buffer of the kind 32BGRA; nil if the system has no memory for it.
        public func pixelBuffer() -> CVPixelBuffer? {
            var made: CVPixelBuffer?
            CVPixelBufferCreate(nil, width, height, kCVPixelFormatType_32BGRA, nil, &made)
            guard let made, CVPixelBufferLockBaseAddress(made, []) == kCVReturnSuccess else { return nil }
            defer { CVPixelBufferUnlockBaseAddress(made, []) }
            guard let base = CVPixelBufferGetBaseAddress(made) else { return nil }
            let rowBytes = CVPixelBufferGetBytesPerRow(made)
            for y in 0..<height {
                let row = UnsafeMutableRawBufferPointer(start: base + y * rowBytes, count: width * 4)
                for x in 0..<width {
                    for place in 0..<3 { row[4 * x + place] = self[x: x, y: y, channel: channels == 1 ? 0 : 2 - place] }
                    row[4 * x + 3] = channels == 4 ? self[x: x, y: y, channel: 3] : 255
                }
            }
            return made
        }
    }
#endif
