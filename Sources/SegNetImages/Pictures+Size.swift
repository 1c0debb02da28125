package import SegNetPlatform

//  The size of everything that has one, to be compared and passed on as a whole.

extension Image {
    package var size: PictureSize { PictureSize(width: width, height: height) }
}

extension LabelMap {
    package var size: PictureSize { PictureSize(width: width, height: height) }
}

extension MultichannelImage {
    package var size: PictureSize { PictureSize(width: width, height: height) }
}

extension PictureHeader {
    package var size: PictureSize { PictureSize(width: width, height: height) }
}

extension Plane {
    package var size: PictureSize { PictureSize(width: width, height: height) }
}
