# Not an image that runs: holds OpenRefine as its project releases it, made from Debian's packages. What it links to in
# other packages is copied; its Java is not part of the release.
apt-get update -qq
packages=$(apt-get install -s --no-install-recommends openrefine | awk '/^Inst/ && /\[all\]/ {print $2}')
mkdir /tmp/packages /tmp/unpacked
cd /tmp/packages
apt-get download -qq $packages
for package in *.deb; do dpkg-deb --extract "$package" /tmp/unpacked; done
# A link that the package's own scripts would make.
ln -s clojure-1.11.jar /tmp/unpacked/usr/share/java/clojure.jar
version=$(dpkg-deb --field openrefine_*.deb Version | sed 's/-.*//')
release=/tmp/openrefine-$version
python3 /run/lab/recipe/collect.py /tmp/unpacked "$release"
chmod -R a+rX "$release"
tar --create --gzip --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --directory /tmp --file /openrefine-linux.tar.gz "${release#/tmp/}"
