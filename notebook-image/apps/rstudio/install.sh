# RStudio Server, told which R the base has. It needs no service: jupyter-rsession-proxy starts it for the person.
apt-get install -qq -y --no-install-recommends "$ELAB_DOWNLOADS/rstudio.deb"
mkdir -p /etc/rstudio
echo "rsession-which-r=$(command -v R)" >> /etc/rstudio/rserver.conf
