# The folder where the upstream image lets its user write.
install -d -o nobody -g nogroup /pushgateway
