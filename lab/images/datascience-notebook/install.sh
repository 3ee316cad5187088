# As docker-stacks lay an image out. A link keeps the virtual environment's byte code, and its files are not stored twice.
ln -s venv /opt/conda
ln -s /usr/lib/R /opt/conda/lib/R
ln -s /usr/bin/R /usr/bin/Rscript /opt/conda/bin/
PATH=/opt/conda/bin:$PATH R --no-echo -e 'IRkernel::installspec(user = FALSE, prefix = "/opt/conda")'
# People own the environment there: a package that is installed into it is lost with the server, and nothing prevents it.
# Folders only: a file whose owner changes would be stored again.
find /opt/venv -type d -exec chown 1000:100 {} + -exec chmod g+rwxs {} +
chmod g+w /etc/passwd
chmod a+rx /usr/local/bin/*
chown 1000:100 /home/jovyan
chmod 2775 /home/jovyan
# The base leaves manual pages out; Java's package links to some when it is installed.
mkdir -p /usr/share/man/man1
