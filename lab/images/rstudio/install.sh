# Not an image that runs: holds the package of a stand-in for RStudio Server, which no registry has.
cp -R /run/lab/recipe/package /tmp/package
chmod -R u=rwX,go=rX /tmp/package
chmod 755 /tmp/package/usr/lib/rstudio-server/bin/rserver
# The same files make the same package.
find /tmp/package -exec touch --date=@0 {} +
SOURCE_DATE_EPOCH=0 dpkg-deb --build --root-owner-group /tmp/package /rstudio-server.deb
